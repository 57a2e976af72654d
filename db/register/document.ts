import { z } from 'zod'
import { channelKinds, checkAddress } from '../../alerts/channels/address.js'
import { deviceKinds } from '../../alerts/model.js'
import { isTimeOfDay } from '../../alerts/quiet-hours.js'
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
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time such as 20:00')
const language = z.enum(['zh', 'en']).default('zh')

/** Any origin: an operator writes this. A robot elsewhere than at its provider needs CHANNEL_ORIGINS all the same. */
const originOf = (address: string) => (URL.canParse(address) ? [new URL(address).origin] : [])
const channel = z
  .strictObject({
    kind: z.enum(channelKinds),
    address: z.string().max(2_000),
    secret: z.string().max(1_000).optional(),
  })
  .transform(({ kind, address, secret }, issue) => {
    const checked = checkAddress(kind, address, secret ?? null, originOf(address))
    if (checked.kind === 'fits') return { kind, address: checked.address, secret: checked.secret }
    issue.addIssue({ code: 'custom', path: [checked.field], message: checked.text.en })
    return z.NEVER
  })

const timeOfDay = z.string().refine(isTimeOfDay, 'not a time of day such as 22:30')
/** By the wall clock of the community (or resident) unless a zone is given; emergencies ignore them. */
const quietHours = z
  .strictObject({ from: timeOfDay, until: timeOfDay, timeZone: timeZone.optional() })
  .refine(({ from, until }) => from !== until, 'from and until are the same')

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
        /** Whether the channels are stored although the person changed them on a page. */
        replaceChannels: z.boolean().default(false),
        quietHours: quietHours.optional(),
      }),
    )
    .default([]),
  /** Neighbours who agreed to go to a door: without a login, told and answering by message alone. */
  volunteers: z
    .array(
      z.strictObject({
        id,
        name: text(100),
        phone: text(40).optional(),
        language,
        community: id,
        /** To whom this person agreed to go. */
        residents: z.array(id).default([]),
        channels: z.array(channel).max(10).optional(),
        replaceChannels: z.boolean().default(false),
        quietHours: quietHours.optional(),
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
        /** The resident agreed that whoever goes to the door is told of it. */
        healthInPages: z.boolean().default(false),
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
        /** May set away mode and say "I am here"; what was set on a page stays where it is not given here. */
        maySetAway: z.boolean().optional(),
        /** Agreed to be asked to phone, by day and night, before staff are paged; where not given it stays as it is. */
        agreedToAsk: z.boolean().optional(),
        /** Where given, this person is told of alerts at the step that says so, as far as the resident allows it. */
        channels: z.array(channel).max(10).optional(),
        replaceChannels: z.boolean().default(false),
        quietHours: quietHours.optional(),
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
  /** Shifts that come back each week, by the wall clock of the community; a roster that was changed on its page stays. */
  roster: z
    .array(
      z.strictObject({
        community: id,
        staff: id,
        /** 1 Monday … 7 Sunday. */
        weekdays: z.array(z.int().min(1).max(7)).min(1).max(7),
        start: clock,
        /** Earlier than the start, or the same: on the next day. */
        end: clock,
        /** So many days later. */
        days: z.int().min(0).max(6).default(0),
        from: z.iso.date(),
        until: z.iso.date().optional(),
        /** Counted from the week of `from`. */
        everyWeeks: z.int().min(1).max(8).default(1),
      }),
    )
    .refine((roster) => roster.every(({ start, end, days }) => days < 6 || end <= start), {
      error: 'a shift lasts 7 days at most',
    })
    .refine((roster) => roster.every(({ from, until }) => until === undefined || from <= until), {
      error: 'the last day of a shift must not be before its first',
    })
    .default([]),
})

export type RegisterDocument = z.infer<typeof registerDocument>
export type RegisterInput = z.input<typeof registerDocument>
