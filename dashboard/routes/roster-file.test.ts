import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readRosterFile } from './roster-file.js'
import { ownUidEnd, writeRosterFile } from './roster-file-write.js'

const now = Date.parse('2027-01-01T00:00:00Z')
const iso = (ms: number) => new Date(ms).toISOString().replace(/:00\.000Z$/, 'Z')
const calendar = (...lines: string[]) =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test', ...lines, 'END:VCALENDAR', ''].join('\r\n')
const event = (...lines: string[]) => ['BEGIN:VEVENT', ...lines, 'END:VEVENT']
/** A zone that only the file knows, whose clock changes by this rule. */
const oddZone = (rule: string) => [
  'BEGIN:VTIMEZONE',
  'TZID:Odd',
  'BEGIN:STANDARD',
  'DTSTART:19700101T000000',
  'TZOFFSETFROM:+0200',
  'TZOFFSETTO:+0100',
  `RRULE:${rule}`,
  'END:STANDARD',
  'END:VTIMEZONE',
]
const night = (day: string, next: string, zone = ';TZID=Asia/Shanghai') => [
  `DTSTART${zone}:${day}T200000`,
  `DTEND${zone}:${next}T080000`,
]
const read = (text: string, timeZone = 'Asia/Shanghai') => {
  const file = readRosterFile(text, { timeZone, now })
  if ('problem' in file) throw new Error(file.problem)
  return file
}
const shiftsOf = (text: string, timeZone?: string) =>
  read(text, timeZone).shifts.map(({ person, from, until }) => `${person} ${iso(from)} ${iso(until)}`)
const leftOf = (...lines: string[]) => read(calendar(...event('UID:a', ...lines))).left.map(({ reason }) => reason)

describe('shifts as calendar programs write them', () => {
  test('each Monday and Wednesday, but for one that was cancelled, one that moved and one that another took', () => {
    const text = calendar(
      ...event(
        'UID:nights',
        ...night('20270104', '20270105'),
        'RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=6',
        'EXDATE;TZID=Asia/Shanghai:20270106T200000',
        'SUMMARY:张社工',
      ),
      ...event(
        'UID:nights',
        'RECURRENCE-ID;TZID=Asia/Shanghai:20270111T200000',
        'DTSTART;TZID=Asia/Shanghai:20270112T210000',
        'DTEND;TZID=Asia/Shanghai:20270113T080000',
        'SUMMARY:张社工',
      ),
      ...event('UID:nights', 'RECURRENCE-ID:20270113T120000Z', ...night('20270113', '20270114'), 'SUMMARY:林社工'),
      ...event(
        'UID:nights',
        'RECURRENCE-ID;TZID=Asia/Shanghai:20270118T200000',
        ...night('20270118', '20270119'),
        'STATUS:CANCELLED',
        'SUMMARY:张社工',
      ),
    )
    expect(shiftsOf(text)).toEqual([
      '张社工 2027-01-04T12:00Z 2027-01-05T00:00Z',
      '张社工 2027-01-12T13:00Z 2027-01-13T00:00Z',
      '林社工 2027-01-13T12:00Z 2027-01-14T00:00Z',
      '张社工 2027-01-20T12:00Z 2027-01-21T00:00Z',
    ])
    expect(read(text).people).toEqual([
      { person: '张社工', name: '张社工', shifts: 3 },
      { person: '林社工', name: '林社工', shifts: 1 },
    ])
  })

  test('a zone that only the file knows, as Outlook writes it', () => {
    const text = calendar(
      'BEGIN:VTIMEZONE',
      'TZID:Romance Standard Time',
      'BEGIN:STANDARD',
      'DTSTART:16010101T030000',
      'TZOFFSETFROM:+0200',
      'TZOFFSETTO:+0100',
      'RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10',
      'END:STANDARD',
      'BEGIN:DAYLIGHT',
      'DTSTART:16010101T020000',
      'TZOFFSETFROM:+0100',
      'TZOFFSETTO:+0200',
      'RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3',
      'END:DAYLIGHT',
      'END:VTIMEZONE',
      ...event(
        'UID:a',
        ...night('20270326', '20270327', ';TZID=Romance Standard Time'),
        'RRULE:FREQ=WEEKLY;UNTIL=20270402T180000Z',
        'SUMMARY:Ana',
      ),
    )
    // 20:00 in winter is 19:00Z, in summer 18:00Z: the last one begins at the very end.
    expect(shiftsOf(text)).toEqual([
      'Ana 2027-03-26T19:00Z 2027-03-27T07:00Z',
      'Ana 2027-04-02T18:00Z 2027-04-03T06:00Z',
    ])
  })

  test('a night is by the wall clock also where the clock is changed in it', () => {
    const text = calendar(
      ...event(
        'UID:a',
        ...night('20270327', '20270328', ';TZID=Europe/Madrid'),
        'RRULE:FREQ=DAILY;COUNT=2',
        'SUMMARY:Ana',
      ),
    )
    expect(shiftsOf(text)).toEqual([
      'Ana 2027-03-27T19:00Z 2027-03-28T06:00Z',
      'Ana 2027-03-28T18:00Z 2027-03-29T06:00Z',
    ])
  })

  test('without a zone the times are the community’s; with Z they are UTC; a length will do for an end', () => {
    const floating = event('UID:a', ...night('20270104', '20270105', ''), 'SUMMARY:A')
    const utc = event('UID:b', 'DTSTART:20270106T200000Z', 'DURATION:PT12H', 'SUMMARY:B')
    expect(shiftsOf(calendar(...floating, ...utc), 'Europe/Madrid')).toEqual([
      'A 2027-01-04T19:00Z 2027-01-05T07:00Z',
      'B 2027-01-06T20:00Z 2027-01-07T08:00Z',
    ])
  })

  test('a rule may end with a day, skip by days, and add dates', () => {
    const text = calendar(
      ...event(
        'UID:a',
        ...night('20270104', '20270105'),
        'RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20270108',
        'EXDATE;VALUE=DATE:20270106',
        'RDATE;TZID=Asia/Shanghai:20270120T200000',
        'SUMMARY:A',
      ),
    )
    expect(shiftsOf(text)).toEqual([
      'A 2027-01-04T12:00Z 2027-01-05T00:00Z',
      'A 2027-01-08T12:00Z 2027-01-09T00:00Z',
      'A 2027-01-20T12:00Z 2027-01-21T00:00Z',
    ])
  })

  test('the first Saturday of each month; what is over is left out, and a year ahead is enough', () => {
    const text = calendar(
      ...event('UID:a', ...night('20200104', '20200105'), 'RRULE:FREQ=MONTHLY;BYDAY=1SA', 'SUMMARY:A'),
    )
    const shifts = shiftsOf(text)
    expect(shifts[0]).toBe('A 2027-01-02T12:00Z 2027-01-03T00:00Z')
    expect(shifts).toHaveLength(13)
  })

  test('who comes is who was invited and has not declined; rooms are nobody', () => {
    const text = calendar(
      ...event(
        'UID:a',
        ...night('20270104', '20270105'),
        'SUMMARY:Night shift',
        'ATTENDEE;CN="Zhang, San";PARTSTAT=ACCEPTED:mailto:Zhang@Example.org',
        'ATTENDEE;CN=Lin;PARTSTAT=DECLINED:mailto:lin@example.org',
        'ATTENDEE;CUTYPE=ROOM;CN=Office:mailto:office@example.org',
        'ATTENDEE;CN=Wu:MAILTO:wu@exam',
        ' ple.org',
      ),
    )
    expect(read(text).people).toEqual([
      { person: 'wu@example.org', name: 'Wu', shifts: 1 },
      { person: 'zhang@example.org', name: 'Zhang, San', shifts: 1 },
    ])
  })

  test('a rule that began long ago keeps its turns', () => {
    const text = calendar(
      ...event('UID:a', ...night('20200101', '20200102'), 'RRULE:FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,WE', 'SUMMARY:A'),
      ...event('UID:b', ...night('20200101', '20200102'), 'RRULE:FREQ=DAILY;INTERVAL=100', 'SUMMARY:B'),
      ...event('UID:c', ...night('20200101', '20200102'), 'RRULE:FREQ=DAILY;INTERVAL=90', 'SUMMARY:C'),
    )
    // Monday 2019-12-30 and 366 weeks later; 90 times 29 days after 2020-01-01.
    expect(shiftsOf(text).slice(0, 3)).toEqual([
      'A 2027-01-04T12:00Z 2027-01-05T00:00Z',
      'A 2027-01-06T12:00Z 2027-01-07T00:00Z',
      'A 2027-01-25T12:00Z 2027-01-26T00:00Z',
    ])
    expect(shiftsOf(text).find((line) => line.startsWith('C'))).toBe('C 2027-02-23T12:00Z 2027-02-24T00:00Z')
  })

  test('several calendars in one file', () => {
    const one = (uid: string) => calendar(...event(`UID:${uid}`, ...night('20270104', '20270105'), `SUMMARY:${uid}`))
    expect(read(one('a') + one('b')).people).toHaveLength(2)
  })
})

describe('what gives no shift is named with its reason', () => {
  const shift = night('20270104', '20270105')
  test.each([
    ['all day', ['DTSTART;VALUE=DATE:20270104', 'DTEND;VALUE=DATE:20270105', 'SUMMARY:Spring Festival']],
    ['no end', ['DTSTART:20270104T200000Z', 'SUMMARY:A']],
    ['no end', ['DTSTART:20270104T200000Z', 'DTEND:20270104T200000Z', 'SUMMARY:A']],
    ['too long', ['DTSTART:20270104T200000Z', 'DTEND:20270114T200000Z', 'SUMMARY:A']],
    ['cancelled', [...shift, 'STATUS:CANCELLED', 'SUMMARY:A']],
    ['over', ['DTSTART:20261201T200000Z', 'DTEND:20261202T080000Z', 'SUMMARY:A']],
    ['unknown zone', [...night('20270104', '20270105', ';TZID=Nowhere'), 'SUMMARY:A']],
    ['nobody named', shift],
    ['repeats', [...shift, 'RRULE:FREQ=YEARLY', 'SUMMARY:A']],
    ['repeats', [...shift, 'RRULE:FREQ=SECONDLY', 'SUMMARY:A']],
    ['repeats', [...shift, 'RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU', 'SUMMARY:A']],
    ['repeats', [...shift, 'RRULE:FREQ=WEEKLY;BYMONTH=2', 'SUMMARY:A']],
    ['repeats', [...shift, 'RRULE:FREQ=WEEKLY;INTERVAL=99999999999', 'SUMMARY:A']],
    ['unclear', ['SUMMARY:A']],
  ])('%s: %s', (reason, lines) => {
    expect(leftOf(...lines)).toEqual([reason])
  })

  test('changes “from now on” are not guessed at', () => {
    const shift = night('20270104', '20270105')
    const text = calendar(
      ...event('UID:a', ...shift, 'RRULE:FREQ=WEEKLY', 'SUMMARY:A'),
      ...event('UID:a', 'RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Asia/Shanghai:20270111T200000', ...shift, 'SUMMARY:B'),
    )
    expect(read(text).left).toEqual([{ title: 'A', reason: 'repeats' }])
  })

  test('our own shifts stay what they are', () => {
    expect(read(calendar(...event(`UID:x${ownUidEnd}`, ...shift, 'SUMMARY:A'))).left[0]!.reason).toBe('own')
  })

  test('a zone with rules that no clock has', () => {
    const text = calendar(
      ...oddZone('FREQ=SECONDLY'),
      ...event('UID:a', ...night('20270104', '20270105', ';TZID=Odd'), 'SUMMARY:A'),
    )
    expect(read(text).left).toEqual([{ title: 'A', reason: 'unknown zone' }])
  })
})

test('files that are none, or too much', () => {
  const problemOf = (text: string) => {
    const file = readRosterFile(text, { timeZone: 'Asia/Shanghai', now })
    return 'problem' in file ? file.problem : 'none'
  }
  expect(problemOf('  ')).toBe('empty')
  expect(problemOf('BEGIN:VCARD\r\nEND:VCARD')).toBe('not a calendar')
  expect(problemOf('PK\u0003\u0004 not text')).toBe('not a calendar')
  const odd = event('UID:a', ...night('20270104', '20270105'), 'RRULE:FREQ=WEEKLY;BYDAY=XX', 'SUMMARY:A')
  expect(problemOf(calendar(...odd))).toBe('not a calendar')
  expect(problemOf(`${calendar()}${' '.repeat(600_000)}x`)).toBe('too large')
  const daily = (uid: number) => event(`UID:${uid}`, ...night('20270104', '20270105'), 'RRULE:FREQ=DAILY', 'SUMMARY:A')
  expect(problemOf(calendar(...[1, 2, 3, 4, 5, 6].flatMap(daily)))).toBe('too many')
  const long = (uid: number) =>
    event(`UID:${uid}`, ...night('20200104', '20200105'), 'RRULE:FREQ=DAILY;COUNT=2000', 'SUMMARY:A')
  expect(problemOf(calendar(...Array.from({ length: 20 }, (_, uid) => long(uid)).flat()))).toBe('too many')
})

describe('any file', () => {
  const person = fc.constantFrom('lin', '陈', 'o’brien; "x", y\\n')
  const shift = fc.record({
    staffId: person,
    startsAt: fc.integer({ min: 1, max: 500_000 }).map((minutes) => now + minutes * 60_000),
    minutes: fc.integer({ min: 1, max: 10_080 }),
    shiftId: fc.nat(),
  })
  const shiftsOfStaff = fc.uniqueArray(shift, {
    maxLength: 20,
    selector: ({ shiftId, startsAt }) => `${shiftId} ${startsAt}`,
  })
  const write = (shifts: { staffId: string; startsAt: number; minutes: number; shiftId: number }[]) =>
    writeRosterFile({
      communityId: 'c-1',
      title: '示例社区',
      shifts: shifts.map(({ staffId, startsAt, minutes, shiftId }) => ({
        staffId,
        startsAt,
        endsAt: startsAt + minutes * 60_000,
        insteadOf: null,
        source: { kind: 'one-off' as const, shiftId },
      })),
      nameOf: (staffId) => `示例·${staffId} ${'很长的名字'.repeat(5)}`,
      note: () => undefined,
      now: new Date(now),
    })

  test('what is written is read back', () => {
    fc.assert(
      fc.property(shiftsOfStaff, (shifts) => {
        const text = write(shifts)
        for (const line of text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75)
        const back = read(text.replaceAll(ownUidEnd, '@elsewhere')).shifts
        expect(back.map(({ from, until }) => [from, until]).sort()).toEqual(
          shifts.map(({ startsAt, minutes }) => [startsAt, startsAt + minutes * 60_000]).sort(),
        )
        expect(read(text).shifts).toEqual([])
      }),
      { numRuns: 50 },
    )
  })

  test('a zone whose clock changes on a ninth Sunday is no zone that anybody knows, and nobody waits for one', () => {
    const zone = (day: string) => [
      ...oddZone(`FREQ=YEARLY;BYMONTH=10;BYDAY=${day}`),
      ...event('UID:a', ...night('20270104', '20270105', ';TZID=Odd'), 'SUMMARY:A'),
    ]
    const began = performance.now()
    for (const day of ['9SU', '-9SU', '6MO', '53WE'])
      expect(read(calendar(...zone(day))).left, day).toEqual([{ title: 'A', reason: 'unknown zone' }])
    expect(performance.now() - began).toBeLessThan(1_000)
    for (const day of ['-1SU', '5SU', 'MO', '+2FR']) expect(read(calendar(...zone(day))).shifts, day).toHaveLength(1)
  })

  test('broken anywhere, it is refused or read, in no time', () => {
    const whole = calendar(
      ...oddZone('FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU'),
      ...event(
        'UID:a',
        ...night('20270104', '20270105', ';TZID=Odd'),
        'RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO',
        'SUMMARY:A',
      ),
      ...event('UID:b', ...night('20270104', '20270105'), 'RRULE:FREQ=MONTHLY;BYDAY=1MO', 'ATTENDEE;CN=B:mailto:b@b'),
      ...event('UID:a', 'RECURRENCE-ID:20270118T190000Z', ...night('20270119', '20270120'), 'SUMMARY:A'),
    )
    const piece = fc.oneof(
      fc.constantFrom(
        '',
        '9',
        '0',
        '-1',
        '31',
        ';',
        ':',
        '\r\n',
        'T',
        'Z',
        'DAILY',
        'MONTHLY',
        'YEARLY',
        'COUNT=0',
        'BYMONTHDAY=31',
      ),
      fc.string({ maxLength: 5 }),
    )
    const edit = fc.tuple(fc.nat(whole.length), fc.nat(6), piece)
    let slowestMs = 0
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const text = edits.reduce((before, [at, cut, put]) => before.slice(0, at) + put + before.slice(at + cut), whole)
        const began = performance.now()
        const file = readRosterFile(text, { timeZone: 'Asia/Shanghai', now })
        slowestMs = Math.max(slowestMs, performance.now() - began)
        if ('problem' in file) return
        for (const { from, until } of file.shifts) expect(from < until && until > now && from < file.until).toBe(true)
      }),
      { numRuns: 1_500, interruptAfterTimeLimit: 6_000 },
    )
    expect(slowestMs).toBeLessThan(2_000)
  })
})
