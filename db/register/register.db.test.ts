import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifySecret } from '../../kit/secret-hash.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
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
  const issued = await apply(village)
  expect(issued.map(({ kind, of }) => `${kind} of ${of}`).sort()).toEqual(['password of zhang', 'secret of g1'])
  const [gateway] = await rows('select secret_hash from gateways')
  const secret = issued.find(({ kind }) => kind === 'secret')!.value
  expect(await verifySecret(secret, gateway.secret_hash)).toBe(true)
  expect(await apply(village)).toEqual([])
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
  ['a time zone that does not exist', { communities: [{ id: 'v', name: 'v', timeZone: 'Mars/Base' }] }],
])('%s is refused', (_, document) => {
  expect(registerDocument.safeParse(document).success).toBe(false)
})
