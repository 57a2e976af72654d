import { z } from 'zod'
import { deviceKinds } from '../../alerts/model.js'
import { idPattern } from '../../ingest/contract.js'
import { baseTopicProblem, baseTopicsMax, reservedGatewayIds } from '../../ingest/dialects/base-topics.js'
import { dialectNames } from '../../ingest/dialects/dialect.js'

const id = z.string().regex(idPattern, 'letters, digits and . _ : - only, at most 64')
const text = (charsMax: number) => z.string().trim().min(1).max(charsMax)
const timeZone = z.string().refine((zone) => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }))
  } catch {
    return false
  }
}, 'not a known IANA time zone')
/** Long enough that guessing over MQTT or the login form is hopeless. */
const secret = z.string().min(12).max(128)
const baseTopic = z.string().superRefine((topic, issue) => {
  const problem = baseTopicProblem(topic)
  if (problem) issue.addIssue(problem)
})
const language = z.enum(['zh', 'en']).default('zh')

const channel = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('webhook'), address: z.url({ protocol: /^https?$/ }).max(2_000), secret }),
  z.strictObject({ kind: z.literal('email'), address: z.email().max(254) }),
])

/**
 * What `npm run register` takes: who lives where, who looks after them, which gateway carries which device. What is
 * there already is updated, what is missing is added, nothing is deleted. Left-out passwords and secrets of new entries are made
 * up and printed once.
 */
export const registerDocument = z.strictObject({
  communities: z.array(z.strictObject({ id, name: text(100), timeZone: timeZone.optional() })).default([]),
  staff: z
    .array(
      z.strictObject({
        id,
        name: text(100),
        role: z.enum(['operator', 'supervisor', 'social_worker']),
        login: text(100),
        password: secret.optional(),
        language,
        phone: text(40).optional(),
        communities: z.array(id).min(1),
        channels: z.array(channel).max(10).optional(),
      }),
    )
    .default([]),
  residents: z
    .array(
      z.strictObject({
        id,
        community: id,
        name: text(100),
        address: text(300),
        timeZone: timeZone.optional(),
        phone: text(40).optional(),
        doorCode: text(40).optional(),
        keyHolder: text(200).optional(),
        healthNote: text(500).optional(),
        responsible: id.optional(),
      }),
    )
    .default([]),
  gateways: z
    .array(
      z.strictObject({
        id: id.refine((gatewayId) => !reservedGatewayIds.includes(gatewayId), 'a reserved word'),
        community: id,
        label: z.string().max(100).default(''),
        secret: secret.optional(),
        /** Whether the secret is stored although the gateway's was rotated or revoked on its page. */
        replaceSecret: z.boolean().default(false),
        /** New gateways speak v1 to our own broker; of those that there are, what is left out here stays. */
        dialect: z.enum(['v1', ...dialectNames]).optional(),
        baseTopics: z.array(baseTopic).max(baseTopicsMax).optional(),
        /** What its adapter needs to know: the mapping of the generic dialect. */
        dialectSettings: z.unknown().optional(),
        via: z.enum(['own', 'attached']).optional(),
      }),
    )
    .default([]),
  devices: z
    .array(
      z.strictObject({
        id: id.optional(),
        /** What the gateway calls it, in a dialect; its id is made of that. */
        native: text(200).optional(),
        kind: z.enum(deviceKinds),
        gateway: id,
        resident: id,
        room: z.string().max(100).default(''),
      }),
    )
    .refine((devices) => devices.every((each) => (each.id === undefined) !== (each.native === undefined)), {
      error: 'a device has either an id or, in a dialect, its native name',
    })
    .default([]),
  family: z
    .array(
      z.strictObject({
        id,
        resident: id,
        name: text(100),
        relation: text(100).optional(),
        phone: text(40).optional(),
        language,
        seesAlerts: z.boolean().default(true),
        seesWeek: z.boolean().default(true),
      }),
    )
    .default([]),
  duty: z
    .array(
      z.strictObject({
        community: id,
        staff: id,
        from: z.iso.datetime({ offset: true }),
        to: z.iso.datetime({ offset: true }),
      }),
    )
    .default([]),
})

export type RegisterDocument = z.infer<typeof registerDocument>
export type RegisterInput = z.input<typeof registerDocument>
