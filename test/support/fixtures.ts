import { createHash, randomBytes } from 'node:crypto'
import type { AlertKind, Outcome, Severity, Stage } from '../../alerts/model.js'
import { severityOf } from '../../alerts/model.js'
import type { Queryable } from '../../db/pool.js'
import { hashSecret } from '../../kit/secret-hash.js'

/** An invented community: everything in it is named after `key`, so that two of them can never be mixed up. */
export type Community = {
  key: string
  communityId: string
  staff: Record<'operator' | 'supervisor' | 'worker' | 'colleague', { staffId: string; name: string; login: string }>
  /** Of each staff member. */
  password: string
  gatewayId: string
  residents: {
    residentId: string
    name: string
    devices: Record<'water' | 'electricity' | 'button' | 'smoke', number>
  }[]
  /** Of the first resident: a daughter with her private link. */
  family: { familyMemberId: string; token: string }
  /** An open button alert of the first resident, with a page to the social worker and its one-tap link. */
  alertId: number
  pageId: string
  linkToken: string
}

export const fixturePassword = 'invented-password-1'
export const sha256 = (text: string) => createHash('sha256').update(text).digest()
const token = () => randomBytes(32).toString('base64url')

/** One hash for all: scrypt is slow on purpose. */
let passwordHash: Promise<string> | undefined

/**
 * One community with an operator, a supervisor, two social workers, residents with devices on one gateway, a family
 * link, and an open emergency with a page that carries a one-tap link. Call it twice with different keys for two.
 */
export async function seedCommunity(
  db: Queryable,
  {
    key,
    now,
    residents: count = 2,
    timeZone = 'Asia/Shanghai',
  }: { key: string; now: Date; residents?: number; timeZone?: string },
): Promise<Community> {
  const communityId = `${key}-community`
  await db.query('insert into communities (community_id, name, time_zone) values ($1, $2, $3)', [
    communityId,
    `示例社区 ${key}`,
    timeZone,
  ])
  passwordHash ??= hashSecret(fixturePassword)
  const hash = await passwordHash
  const addStaff = async (short: string, name: string, role: string) => {
    const staffId = `${key}-${short}`
    await db.query(
      'insert into staff (staff_id, name, role, login, password_hash, phone) values ($1, $2, $3, $4, $5, $6)',
      [staffId, name, role, staffId, hash, '000-0000-0000'],
    )
    await db.query('insert into staff_communities (staff_id, community_id) values ($1, $2)', [staffId, communityId])
    return { staffId, name, login: staffId }
  }
  const staff = {
    operator: await addStaff('operator', `示例·运维 ${key}`, 'operator'),
    supervisor: await addStaff('supervisor', `示例·李主管 ${key}`, 'supervisor'),
    worker: await addStaff('worker', `示例·张社工 ${key}`, 'social_worker'),
    colleague: await addStaff('colleague', `示例·陈社工 ${key}`, 'social_worker'),
  }
  const gatewayId = `${key}-gw1`
  await db.query(
    `insert into gateways (gateway_id, community_id, secret_hash, label, online, online_changed_at, last_heard_at)
     values ($1, $2, 'none', $3, true, $4, $4)`,
    [gatewayId, communityId, `示例网关 ${key}`, now],
  )
  const residents: Community['residents'] = []
  for (let i = 1; i <= count; i++)
    residents.push(
      await addResident(db, { key, i, communityId, gatewayId, workerId: staff.worker.staffId, now, timeZone }),
    )
  const [first] = residents
  if (!first) throw new Error('a community needs a resident')

  const family = { familyMemberId: `${key}-daughter`, token: token() }
  await db.query(
    'insert into family_members (family_member_id, resident_id, name, relation, phone) values ($1, $2, $3, $4, $5)',
    [family.familyMemberId, first.residentId, `示例·女儿 ${key}`, '女儿', '000-0000-0009'],
  )
  await db.query('insert into family_links (token_hash, family_member_id, created_at) values ($1, $2, $3)', [
    sha256(family.token),
    family.familyMemberId,
    now,
  ])

  const alertId = await seedAlert(db, {
    communityId,
    residentId: first.residentId,
    deviceNo: first.devices.button,
    kind: 'button',
    openedAt: now,
  })
  const { pageId, linkToken } = await seedPage(db, { alertId, staffId: staff.worker.staffId, now })
  return {
    key,
    communityId,
    staff,
    password: fixturePassword,
    gatewayId,
    residents,
    family,
    alertId,
    pageId,
    linkToken,
  }
}

async function addResident(
  db: Queryable,
  p: { key: string; i: number; communityId: string; gatewayId: string; workerId: string; now: Date; timeZone: string },
) {
  const residentId = `${p.key}-r${String(p.i).padStart(2, '0')}`
  const name = `示例·居民 ${p.key} ${p.i}`
  await db.query(
    `insert into residents (resident_id, community_id, name, address, time_zone, phone, door_code, key_holder, health_note, responsible_staff_id, health_in_pages)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, true)`,
    [
      residentId,
      p.communityId,
      name,
      `示例路 ${p.key} ${p.i} 号 ${100 + p.i} 室`,
      p.timeZone,
      `000-0000-${1000 + p.i}`,
      `${1000 + p.i}#`,
      '示例·门卫',
      '听力不好，敲门要用力',
      p.workerId,
    ],
  )
  const devices = {} as Community['residents'][number]['devices']
  for (const kind of ['water', 'electricity', 'button', 'smoke'] as const) {
    const { rows } = await db.query<{ device_no: number }>(
      `insert into devices (device_id, kind, gateway_id, resident_id, room, bound_at) values ($1, $2, $3, $4, $5, $6) returning device_no`,
      [
        `${residentId}-${kind}`,
        kind,
        p.gatewayId,
        residentId,
        kind === 'button' ? '卧室' : '',
        new Date(p.now.getTime() - 30 * 86_400_000),
      ],
    )
    devices[kind] = rows[0]!.device_no
  }
  return { residentId, name, devices }
}

/** An alert as the alerts process would have opened it, in whatever stage a test wants. */
export async function seedAlert(
  db: Queryable,
  p: {
    communityId: string
    residentId: string
    kind: AlertKind
    openedAt: Date
    deviceNo?: number
    stage?: Stage
    handledBy?: string
    outcome?: Outcome
    closedAt?: Date
    dueAt?: Date
    severity?: Severity
    headline?: { zh: string; en: string }
    reason?: Record<string, number | string | boolean | null>
  },
): Promise<number> {
  const stage = p.stage ?? 'open'
  const headline = p.headline ?? {
    zh: `14:03 卧室的呼叫按钮被按下。`,
    en: 'The call button in the bedroom was pressed at 14:03.',
  }
  const { rows } = await db.query<{ alert_id: number }>(
    `insert into alerts (resident_id, community_id, device_no, kind, severity, stage, opened_at, observed_at, headline_zh, headline_en, reason, handled_by, outcome, closed_at, due_at, step)
     values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11, $12, $13, $14, 1) returning alert_id`,
    [
      p.residentId,
      p.communityId,
      p.deviceNo ?? null,
      p.kind,
      p.severity ?? severityOf[p.kind],
      stage,
      p.openedAt,
      headline.zh,
      headline.en,
      p.reason ?? {},
      p.handledBy ?? null,
      stage === 'closed' ? (p.outcome ?? 'resident fine') : null,
      stage === 'closed' ? (p.closedAt ?? p.openedAt) : null,
      p.dueAt ?? (stage === 'open' ? new Date(p.openedAt.getTime() + 60_000) : null),
    ],
  )
  const alertId = rows[0]!.alert_id
  await db.query("insert into alert_events (alert_id, at, kind) values ($1, $2, 'opened')", [alertId, p.openedAt])
  return alertId
}

/** A delivered page with a fresh one-tap link. */
export async function seedPage(db: Queryable, p: { alertId: number; staffId: string; now: Date; channel?: string }) {
  const { rows } = await db.query<{ page_id: string }>(
    `insert into pages (alert_id, round, step, staff_id, channel, position, status, created_at, attempts, next_attempt_at, sent_at)
     values ($1, 0, 1, $2, $3, 1, 'sent', $4, 1, $4, $4) returning page_id`,
    [p.alertId, p.staffId, p.channel ?? 'webhook', p.now],
  )
  const pageId = rows[0]!.page_id
  await db.query("insert into page_attempts (page_id, attempted_at, duration_ms, result) values ($1, $2, 84, 'sent')", [
    pageId,
    p.now,
  ])
  const linkToken = token()
  await db.query('insert into page_links (token_hash, page_id, created_at, expires_at) values ($1, $2, $3, $4)', [
    sha256(linkToken),
    pageId,
    p.now,
    new Date(p.now.getTime() + 86_400_000),
  ])
  return { pageId, linkToken }
}
