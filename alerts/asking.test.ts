import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { promptCharsMax } from '../ingest/contract.js'
import type { CommandName } from '../ingest/dialects/dialect.js'
import {
  type Askable,
  type AskableHome,
  type Asked,
  askedBefore,
  askedLine,
  askMsMin,
  asksFirst,
  callTaskMessage,
  nextAsk,
  promptIn,
} from './asking.js'
import { assembleChain, type Candidate } from './chain.js'
import { advance, begin, beginAsking } from './escalation.js'
import { severities } from './model.js'
import { randomPolicy } from './policy-testkit.js'

const device = (deviceNo: number, kind: AskableHome['kind'], commands: CommandName[], online = true): AskableHome => ({
  deviceNo,
  kind,
  commands,
  online,
})
const voice = device(1, 'voice', ['prompt', 'chime', 'led'])
const button = device(2, 'button', ['chime'])
const siren = device(3, 'smoke', ['chime', 'self-test'])
const askable = (p: Partial<Askable>): Askable => ({
  devices: [],
  family: [],
  duty: [],
  speaks: null,
  language: 'zh',
  ...p,
})
const all = { devices: [siren, button, voice], family: ['mei'], duty: ['zhang', 'lin'] }
const home = (deviceNo: number): Asked => ({ way: 'home', deviceNo })
const family: Asked = { way: 'family', deviceNo: null }
const task: Asked = { way: 'task', deviceNo: null }

describe('which way is asked', () => {
  test.each<[string, Partial<Askable>, Asked[], string]>([
    ['the voice panel before everything else', all, [], 'home 1 prompt'],
    ['it did not do it: the chime of the button', all, [home(1)], 'home 2 chime'],
    ['neither did: the family, not the siren', all, [home(1), home(2)], 'family mei'],
    ['nor was the family reached: whom a page would be for', all, [home(1), home(2), family], 'task zhang, lin'],
    ['nobody was: a page', all, [home(1), home(2), family, task], 'page'],
    ['people were asked already: the home is not asked after them', all, [family], 'task zhang, lin'],
    ['a voice panel without a voice chimes', { ...all, devices: [device(1, 'voice', ['chime'])] }, [], 'home 1 chime'],
    ['a voice panel that can do neither', { ...all, devices: [device(1, 'voice', ['led'])] }, [], 'family mei'],
    ['offline: the next way at once', { ...all, devices: [{ ...voice, online: false }] }, [], 'family mei'],
    ['only a siren: it says fire', { ...all, devices: [siren] }, [], 'family mei'],
    ['two of the family who agreed: both', { ...all, devices: [], family: ['mei', 'bo'] }, [], 'family mei, bo'],
    ['nobody of the family agreed', { ...all, devices: [], family: [] }, [], 'task zhang, lin'],
    ['nothing and nobody', {}, [], 'page'],
  ])('%s', (_, there, tried, expected) => {
    const ask = nextAsk(askable(there), tried)
    const said =
      ask === null
        ? 'page'
        : ask.way === 'home'
          ? `home ${ask.deviceNo} ${ask.command.name}`
          : `${ask.way} ${ask.staffIds.join(', ')}`
    expect(said).toBe(expected)
  })

  test('whatever there is, it comes to an end, and nothing is tried twice', () => {
    const devices = fc.array(
      fc.record({
        deviceNo: fc.integer({ min: 1, max: 9 }),
        kind: fc.constantFrom('voice' as const, 'button' as const, 'smoke' as const),
        online: fc.boolean(),
        commands: fc.subarray(['prompt', 'chime', 'led'] as CommandName[]),
      }),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(devices, fc.boolean(), fc.boolean(), (there, hasFamily, hasDuty) => {
        const unique = there.filter((one, at) => there.findIndex(({ deviceNo }) => deviceNo === one.deviceNo) === at)
        const given = askable({ devices: unique, family: hasFamily ? ['mei'] : [], duty: hasDuty ? ['zhang'] : [] })
        const tried: Asked[] = []
        for (let ask = nextAsk(given, tried); ask; ask = nextAsk(given, tried)) {
          const one = { way: ask.way, deviceNo: ask.way === 'home' ? ask.deviceNo : null }
          expect(tried).not.toContainEqual(one)
          tried.push(one)
        }
        expect(tried.some(({ way }) => way === 'family')).toBe(hasFamily)
        expect(tried.some(({ way }) => way === 'task')).toBe(hasDuty)
      }),
    )
  })
})

test('never an emergency, never without time to answer', () => {
  const now = 1_000_000
  for (const severity of severities) {
    expect(asksFirst(severity, now + 30 * 60_000, now)).toBe(severity === 'urgent')
    expect(asksFirst(severity, null, now)).toBe(false)
    expect(asksFirst(severity, now + askMsMin - 1, now)).toBe(false)
  }
})

describe('what is said in the home', () => {
  test.each<[string | null, 'zh' | 'en', string, RegExp]>([
    [null, 'zh', 'zh-CN', /^您好，今天还好吗？.*“我很好”/],
    [null, 'en', 'en', /^Hello, .*“I’m fine”/],
    ['yue', 'en', 'yue', /^您好/],
    ['en', 'zh', 'en', /^Hello/],
    ['en-GB', 'zh', 'en-GB', /^Hello/],
    ['ug', 'en', 'zh-CN', /^您好/],
  ])('speaks %s, community %s: %s', (speaks, language, tag, text) => {
    const said = promptIn({ speaks, language })
    expect(said.language).toBe(tag)
    expect(said.text).toMatch(text)
    expect(said.text.length).toBeLessThanOrEqual(promptCharsMax)
  })
  test('the call button is for help: nobody is told to press it when all is well', () => {
    expect(promptIn({ speaks: null, language: 'zh' }).text).toMatch(/需要帮忙，就按呼叫按钮/)
    expect(promptIn({ speaks: null, language: 'en' }).text).toMatch(/If you need help, press the call button/)
  })
})

test('a call task says whom, why, what to do and until when; of the family it asks no more than a call', () => {
  const about = {
    residentName: '示例·王奶奶',
    headline: { zh: '10:05 起没有用水。', en: 'No water since 10:05.' },
    until: '14:35',
  }
  const staff = callTaskMessage({ way: 'task', ...about })
  expect(staff.text).toEqual({
    zh: '请给示例·王奶奶打个电话问一声。10:05 起没有用水。',
    en: 'Please phone 示例·王奶奶 and ask. No water since 10:05.',
  })
  const kin = callTaskMessage({ way: 'family', ...about })
  for (const language of ['zh', 'en'] as const) {
    const whole = [kin.text, ...kin.lines].map((line) => line[language]).join('\n')
    expect(whole).not.toContain(about.headline[language])
    expect(whole).toContain('14:35')
  }
})

describe('what a page says of it', () => {
  const row = { atMs: 0, ways: ['task', 'home'] as const, by: null }
  const line = (whys: (string | null)[], by: string | null = null) => {
    const before = askedBefore({ ...row, whys, by })
    return before && askedLine(before, '14:05').en
  }
  test.each<[(string | null)[], string | null, string | null]>([
    [['failed', 'unanswered'], null, 'Asked since 14:05 (voice or chime at home, colleagues): no answer.'],
    [['sent for'], 'Mei', 'Asked since 14:05 (voice or chime at home, colleagues); Mei wants somebody to go now.'],
    [
      ['failed'],
      null,
      'Shouwang tried to ask first since 14:05 (voice or chime at home, colleagues) and got through to nobody.',
    ],
    [['taken'], null, null],
    [[null], null, null],
  ])('%s', (whys, by, expected) => expect(line(whys, by)).toBe(expected))
})

describe('escalation after asking', () => {
  const seed = Math.floor(Math.random() * 1e9)
  test(`nobody is told before, and then the chain goes as though the alert opened then (seed ${seed})`, () => {
    const staffIds = ['zhang', 'lin', 'huang', 'wu', 'mei']
    const candidates = fc.array(
      fc.record({
        role: fc.constantFrom<Candidate['role']>('responsible', 'on duty', 'supervisor', 'neighbour', 'family'),
        person: fc.record({
          staffId: fc.constantFrom(...staffIds),
          channels: fc.constantFrom<Candidate['person']['channels']>([], [{ position: 1, kind: 'sms' }]),
          quietUntil: fc.option(fc.constant(1e12)),
        }),
      }),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(candidates, fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), (people, stream) => {
        const random = () => stream.next().value!
        const chain = assembleChain(randomPolicy(random, { severity: 'urgent' }), people)
        const until = 30 * 60_000
        const asking = beginAsking(until, 0)
        expect(asking).toMatchObject({ pages: [], dueAt: until, stage: 'open', step: 0, round: 0 })
        const later = advance({ severity: 'urgent', ...asking, told: [] }, chain, until)
        const { stageAt: _, ...expected } = begin('urgent', chain, until)
        expect(later).toMatchObject(expected)
      }),
      { seed, numRuns: 300 },
    )
  })
})
