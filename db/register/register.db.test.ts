import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifySecret } from '../../kit/secret-hash.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { findBaseTopicClash } from '../attached.js'
import { addGateway } from '../gateway-registration.js'
import { revokeSecret, rotateSecret } from '../gateway-secrets.js'
import { quietHoursOf } from '../quiet-hours.js'
import { moveChannel } from '../staff-channels.js'
import { stopTellingFamily } from '../told-family.js'
import { endVolunteer } from '../volunteers.js'
import { type RegisterInput, registerDocument } from './document.js'
import { register } from './register.js'

let database: TestDatabase
const now = new Date('2026-06-01T00:00:00Z')
beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database.stop())

const apply = (document: RegisterInput) =>
  register(database.db, { document: registerDocument.parse(document), timeZoneDefault: 'Asia/Shanghai', now })
const rows = async (sql: string) => (await database.db.query(sql)).rows

const village: RegisterInput = {
  communities: [{ id: 'v', name: '示例村' }],
  staff: [
    {
      id: 'zhang',
      name: '示例·张',
      role: 'social_worker',
      login: 'zhang',
      communities: ['v'],
      channels: [{ kind: 'email', address: 'zhang@example.org' }],
    },
  ],
  residents: [
    { id: 'r1', community: 'v', name: '示例·一', address: '示例路 1 号', responsible: 'zhang' },
    { id: 'r2', community: 'v', name: '示例·二', address: '示例路 2 号', timeZone: 'Europe/Rome' },
  ],
  gateways: [{ id: 'g1', community: 'v' }],
  devices: [{ id: 'd1', kind: 'water', gateway: 'g1', resident: 'r1' }],
}

test('new entries get a password and a secret that are shown once and stored as hashes; again changes nothing', async () => {
  const { issued } = await apply(village)
  expect(issued.map(({ kind, of }) => `${kind} of ${of}`).sort()).toEqual(['password of zhang', 'secret of g1'])
  const [gateway] = await rows('select secret_hash from gateways')
  const secret = issued.find(({ kind }) => kind === 'secret')!.value
  expect(await verifySecret(secret, gateway.secret_hash)).toBe(true)
  expect(await apply(village)).toEqual({ issued: [], keptSecrets: [], keptChannels: [], keptRosters: [] })
  expect(await rows('select secret_hash from gateways')).toEqual([gateway])
  expect(await rows('select resident_id, time_zone from residents order by 1')).toEqual([
    { resident_id: 'r1', time_zone: 'Asia/Shanghai' },
    { resident_id: 'r2', time_zone: 'Europe/Rome' },
  ])
  expect(await rows('select count(*) as n from devices')).toEqual([{ n: 1 }])
})

test('a device that moves to another resident begins a new binding, so that readings stay with whom they were measured for', async () => {
  await apply({ devices: [{ id: 'd1', kind: 'water', gateway: 'g1', resident: 'r2' }] })
  expect(await rows('select resident_id, unbound_at is not null as ended from devices order by device_no')).toEqual([
    { resident_id: 'r1', ended: true },
    { resident_id: 'r2', ended: false },
  ])
})

test('a reference to nobody registers nothing', async () => {
  await expect(
    apply({
      communities: [{ id: 'w', name: '示例村 W' }],
      residents: [{ id: 'r9', community: 'w', name: 'x', address: 'y', responsible: 'nobody' }],
    }),
  ).rejects.toThrow()
  expect(await rows("select from communities where community_id = 'w'")).toEqual([])
})

const gateway = async (id: string) =>
  (await database.db.query('select * from gateways where gateway_id = $1', [id])).rows[0]
const opens = async (secret: string) => verifySecret(secret, (await gateway('old')).secret_hash)
const old = (more: Partial<NonNullable<RegisterInput['gateways']>[number]> = {}): RegisterInput => ({
  gateways: [{ id: 'old', community: 'v', secret: 'the first secret', ...more }],
})
const by = { gatewayId: 'old', staffId: null, now }

test('another secret is stored where the pages never touched it', async () => {
  await apply(old())
  expect((await apply(old({ secret: 'the second secret' }))).keptSecrets).toEqual([])
  expect(await opens('the second secret')).toBe(true)
})

test('a secret that was rotated or revoked on its page does not come back with an old document, unless told so', async () => {
  await apply(old({ secret: 'the second secret' }))
  const rotation = await database.db.transaction((tx) => rotateSecret(tx, { ...by, overlapMs: 0 }))
  if (rotation.kind !== 'rotated') throw new Error(rotation.kind)
  expect(await apply(old({ label: 'told' }))).toEqual({
    issued: [],
    keptSecrets: ['old'],
    keptChannels: [],
    keptRosters: [],
  })
  expect(await opens(rotation.secret)).toBe(true)
  expect(await gateway('old')).toMatchObject({ label: 'told' })
  expect((await apply(old({ secret: rotation.secret }))).keptSecrets).toEqual([])
  await database.db.transaction((tx) => revokeSecret(tx, by))
  expect((await apply(old({ secret: rotation.secret }))).keptSecrets).toEqual(['old'])
  expect(await opens(rotation.secret)).toBe(false)
  expect((await gateway('old')).secret_revoked_at).toEqual(now)
  expect((await apply(old({ replaceSecret: true }))).keptSecrets).toEqual([])
  expect(await opens('the first secret')).toBe(true)
  expect((await gateway('old')).secret_revoked_at).toBeNull()
})

test('how a gateway speaks stays where the document does not name it', async () => {
  const speaks = {
    dialect: 'generic' as const,
    baseTopics: ['made-up/a'],
    dialectSettings: { readings: [] },
    via: 'attached' as const,
  }
  const id = 'speaker'
  const named = (more: object) => apply({ gateways: [{ id, community: 'v', ...more }] })
  const how = async () => {
    const { dialect, base_topics: baseTopics, dialect_settings: dialectSettings, via } = await gateway(id)
    return { dialect, baseTopics, dialectSettings, via }
  }
  await named({})
  expect(await how()).toEqual({ dialect: 'v1', baseTopics: [], dialectSettings: null, via: 'own' })
  await named(speaks)
  expect(await how()).toEqual(speaks)
  await named({})
  expect(await how()).toEqual(speaks)
  await named({ dialect: 'v1', baseTopics: [], dialectSettings: null, via: 'own' })
  expect(await how()).toEqual({ dialect: 'v1', baseTopics: [], dialectSettings: null, via: 'own' })
})

const attached = (id: string, topic: string) => ({
  gateways: [{ id, community: 'v', dialect: 'zigbee2mqtt' as const, via: 'attached' as const, baseTopics: [topic] }],
})

test('a base topic of another attached gateway registers nothing; two may swap theirs', async () => {
  await apply({ gateways: [...attached('z1', 'made-up/z1').gateways, ...attached('z2', 'made-up/z2').gateways] })
  await expect(apply(attached('z3', 'made-up/z1/kitchen'))).rejects.toThrow('made-up/z1')
  expect(await gateway('z3')).toBeUndefined()
  // An own one that becomes attached brings the topics that it has.
  await apply({ gateways: [{ id: 'z4', community: 'v', dialect: 'zigbee2mqtt', baseTopics: ['made-up'] }] })
  await expect(apply({ gateways: [{ id: 'z4', community: 'v', via: 'attached' }] })).rejects.toThrow('gateway z4')
  await apply({ gateways: [...attached('z1', 'made-up/z2').gateways, ...attached('z2', 'made-up/z1').gateways] })
  expect((await gateway('z1')).base_topics).toEqual(['made-up/z2'])
})

test('who asks for a base topic that somebody is saving waits, on the page and here, and is refused', async () => {
  let page: Promise<string> = Promise.resolve('')
  let here: Promise<string> = Promise.resolve('')
  await database.db.transaction(async (tx) => {
    expect(await findBaseTopicClash(tx, { gatewayId: 'p1', baseTopics: ['race'] })).toBeUndefined()
    await tx.query(
      `insert into gateways (gateway_id, community_id, secret_hash, via, base_topics) values ('p1', 'v', '', 'attached', '{race}')`,
    )
    const gateway = { gatewayId: 'p2', communityId: 'v', label: '', dialect: 'zigbee2mqtt', baseTopics: ['race/a'] }
    page = addGateway(database.db, {
      gateway: { ...gateway, dialectSettings: null, via: 'attached' },
      staffId: 'zhang',
      now,
    }).then(({ kind }) => kind)
    here = apply({ gateways: [{ ...attached('h1', 'race').gateways[0]!, secret: 'the first secret' }] }).then(
      () => 'added',
      (error: Error) => error.message,
    )
    await new Promise((resolve) => setTimeout(resolve, 500))
  })
  expect(await page).toBe('clash')
  expect(await here).toBe('gateway h1: base topic "race" belongs to gateway p1')
})

const told = (more: object = {}): RegisterInput => ({
  staff: [
    {
      ...village.staff![0]!,
      channels: [
        { kind: 'email', address: 'zhang@example.org' },
        { kind: 'ntfy', address: 'https://ntfy.sh/a-long-topic', secret: 'tk_1' },
      ],
      quietHours: { from: '22:00', until: '06:00' },
      ...more,
    },
  ],
})
const channels = async (staffId: string) =>
  rows(
    `select channel_id, kind, address, confirmed_at from staff_channels where staff_id = '${staffId}' order by position`,
  )

test('channels of the document keep what is known of them, and do not undo what was changed on a page', async () => {
  await apply(told())
  const [mail, push] = await channels('zhang')
  expect([mail.address, push.address]).toEqual(['zhang@example.org', 'https://ntfy.sh/a-long-topic'])
  await rows(`update staff_channels set confirmed_at = now() where staff_id = 'zhang' and kind = 'email'`)
  const [tested] = await channels('zhang')
  await apply(told())
  expect((await channels('zhang'))[0]).toEqual(tested)
  // Another order and another secret: the same channels, with all that is known of them.
  await apply(told({ channels: [...told().staff![0]!.channels!].reverse() }))
  expect((await channels('zhang')).map((each) => each.channel_id)).toEqual([push.channel_id, mail.channel_id])
  expect((await channels('zhang'))[1]).toEqual(tested)
  // Changed on a page: the document has no say any longer, until it is told to.
  await moveChannel(database.db, { staffId: 'zhang', channelId: mail.channel_id, by: -1, now })
  const gone = { channels: [{ kind: 'sms', address: '13800000000' }] }
  expect((await apply(told(gone))).keptChannels).toEqual(['zhang'])
  expect((await channels('zhang')).map((each) => each.kind)).toEqual(['email', 'ntfy'])
  expect((await apply(told({ ...gone, replaceChannels: true }))).keptChannels).toEqual([])
  expect((await channels('zhang')).map((each) => each.kind)).toEqual(['sms'])
  expect(await quietHoursOf(database.db, 'zhang')).toEqual({ from: '22:00', until: '06:00', timeZone: 'Asia/Shanghai' })
  await apply(village)
  expect((await quietHoursOf(database.db, 'zhang'))?.from).toBe('22:00')
})

test('a neighbour and a daughter are told without a login; who was ended on a page stays ended', async () => {
  const document: RegisterInput = {
    volunteers: [
      {
        id: 'zhou',
        name: '示例·周阿姨',
        phone: '000-0000-0102',
        community: 'v',
        residents: ['r1'],
        channels: [{ kind: 'sms', address: '000-0000-0102' }],
      },
    ],
    family: [
      {
        id: 'daughter',
        resident: 'r2',
        name: '示例·女儿',
        channels: [{ kind: 'email', address: 'd@example.org' }],
        quietHours: { from: '23:00', until: '07:00' },
      },
    ],
  }
  await apply(document)
  await apply(document)
  expect(await rows('select resident_id, staff_id from resident_volunteers')).toEqual([
    { resident_id: 'r1', staff_id: 'zhou' },
  ])
  expect((await channels('zhou')).map((each) => each.address)).toEqual(['00000000102'])
  expect(await rows(`select staff_id from family_members where family_member_id = 'daughter'`)).toEqual([
    { staff_id: 'family:daughter' },
  ])
  const mayAway = async () =>
    (await rows(`select may_set_away as may from family_members where family_member_id = 'daughter'`))[0]!.may
  // A right that is given by name, and stays as it was given on a page.
  expect(await mayAway()).toBe(false)
  await apply({ ...document, family: document.family?.map((each) => ({ ...each, maySetAway: true })) })
  expect(await mayAway()).toBe(true)
  await apply(document)
  expect(await mayAway()).toBe(true)
  // By the wall clock of the resident's home.
  expect((await quietHoursOf(database.db, 'family:daughter'))?.timeZone).toBe('Europe/Rome')
  const by = { by: 'zhang', communityIds: ['v'], now }
  await endVolunteer(database.db, { staffId: 'zhou', ...by })
  await stopTellingFamily(database.db, { staffId: 'family:daughter', ...by })
  await apply(document)
  expect(await rows('select from resident_volunteers')).toEqual([])
  expect(await channels('zhou')).toEqual([])
  expect(await channels('family:daughter')).toEqual([])
  expect(await rows(`select phone from staff where staff_id = 'zhou'`)).toEqual([{ phone: null }])
  await expect(apply({ volunteers: [{ id: 'zhang', name: 'x', community: 'v' }] })).rejects.toThrow(
    'somebody else has this id',
  )
})

test.each<[string, unknown]>([
  ['an id that would not fit into a topic', { gateways: [{ id: 'a/b', community: 'v' }] }],
  ['an unknown field', { gateways: [{ id: 'a', community: 'v', password: 'x' }] }],
  ['a short secret', { gateways: [{ id: 'a', community: 'v', secret: 'short' }] }],
  [
    'a webhook that is no http',
    {
      staff: [
        {
          id: 's',
          name: 's',
          role: 'operator',
          login: 's',
          communities: ['v'],
          channels: [{ kind: 'webhook', address: 'file:///etc', secret: 'x'.repeat(20) }],
        },
      ],
    },
  ],
  [
    'a robot’s address that is none',
    {
      staff: [
        {
          id: 's',
          name: 's',
          role: 'operator',
          login: 's',
          communities: ['v'],
          channels: [{ kind: 'wecom', address: 'https://qyapi.weixin.qq.com/' }],
        },
      ],
    },
  ],
  ['quiet hours without a length', told({ quietHours: { from: '22:00', until: '22:00' } })],
  ['quiet hours at no time of day', told({ quietHours: { from: '22', until: '24:00' } })],
  ['a time zone that does not exist', { communities: [{ id: 'v', name: 'v', timeZone: 'Mars/Base' }] }],
])('%s is refused', (_, document) => {
  expect(registerDocument.safeParse(document).success).toBe(false)
})
