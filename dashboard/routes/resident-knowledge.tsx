import type { Knowledge } from '../../alerts/model.js'
import { knowledge, type ResidentState } from '../../alerts/rules/fold.js'
import { lastSeenWords, type UpBy } from '../../alerts/rules/movement.js'
import { dueAtOf } from '../../alerts/rules/state.js'
import type { ResidentDevice } from '../../db/residents.js'
import type { Here } from '../shell/here.js'
import { KnowledgeMark } from '../shell/marks.js'
import { residentText } from '../shell/text-resident.js'
import { clockWords, durationWords, When } from '../shell/times.js'

/** Why nothing can be said. */
export type UnknownWhy =
  | 'noDevices'
  | 'noMeters'
  | 'sensorsQuiet'
  | 'noReadings'
  | 'gatewaySilent'
  | 'metersSilent'
  | 'tooShort'

/** What is known of a resident at a moment; times in epoch ms. */
export type Known = {
  knowledge: Knowledge
  lastUseAt: number | null
  /** What saw it, where it was no meter. */
  lastUseBy?: UpBy
  knownUntil: number | null
  why: UnknownWhy | null
  /** Since when the gateway of the meters, or of the sensors where there are none, is offline. */
  gatewaySilentSince: number | null
}

/** Use this fresh may be shown in green; the time is told in any case. */
const freshUseMs = 4 * 3_600_000

/** The class that colours it: green for use seen lately, hatched for unknown, plain for all else. */
export function knownClass({ knowledge: word, lastUseAt }: Known, now: number): string {
  if (word === 'unknown') return 'known known-unknown'
  const fresh = word === 'used' && lastUseAt !== null && now - lastUseAt < freshUseMs
  return fresh ? 'known known-used' : 'known known-earlier'
}

/** Joins what the rules know with what the devices and the gateway tell about why they know no more. */
export function knownOf({
  state,
  devices,
  now,
}: {
  state: unknown
  devices: readonly ResidentDevice[]
  now: number
}): Known {
  const current = devices.filter(({ unboundAt }) => unboundAt === null)
  const meters = current.filter(({ kind }) => kind === 'water' || kind === 'electricity')
  const sensors = current.filter(({ kind }) => kind === 'motion' || kind === 'bed')
  const tellers = meters.length > 0 ? meters : sensors
  const silent = tellers.length > 0 && tellers.every((teller) => !teller.gatewayOnline)
  const since = silent ? Math.max(0, ...tellers.map((meter) => meter.gatewayChangedAt?.getTime() ?? 0)) : 0
  const gatewaySilentSince = since > 0 ? since : null
  const folded = state as ResidentState | null
  if (!folded)
    return {
      knowledge: 'unknown',
      lastUseAt: null,
      knownUntil: null,
      why: current.length === 0 ? 'noDevices' : tellers.length === 0 ? 'noMeters' : 'noReadings',
      gatewaySilentSince,
    }
  const known = knowledge(folded, now)
  if (known.knowledge !== 'unknown') return { ...known, why: null, gatewaySilentSince }
  const why = (): UnknownWhy => {
    if (current.length === 0) return 'noDevices'
    if (tellers.length === 0) return 'noMeters'
    if (known.knownUntil === null && known.lastUseAt === null && meters.length > 0) return 'noReadings'
    if (silent) return 'gatewaySilent'
    if (meters.length === 0) return 'sensorsQuiet'
    return folded.meters.some(({ reach }) => dueAtOf(reach) > now) ? 'tooShort' : 'metersSilent'
  }
  return { ...known, why: why(), gatewaySilentSince }
}

/** The first line of the resident page: what do we know, and how fresh is it? */
export function KnowledgeLine({
  known,
  timeZone,
  here,
  isQuiet,
}: {
  known: Known
  timeZone: string
  here: Here
  /** No alert is open: only then is use a good sign, and shown in green. */
  isQuiet: boolean
}) {
  const { language, now } = here
  const look = knownClass(known, now.getTime())
  const t = residentText(language).knowledge
  return (
    <div class={isQuiet ? look : look.replace('known-used', 'known-earlier')}>
      <KnowledgeMark knowledge={known.knowledge} language={language} />
      <p>
        <Sentence known={known} timeZone={timeZone} here={here} />
      </p>
      {known.knowledge === 'unknown' && known.lastUseAt !== null && (
        <p>
          {known.lastUseBy ? t.lastSeenBefore[known.lastUseBy] : t.lastUseBefore}
          <When at={known.lastUseAt} now={now} timeZone={timeZone} language={language} />
          {t.lastUseAfter}
        </p>
      )}
    </div>
  )
}

function Sentence({ known, timeZone, here }: { known: Known; timeZone: string; here: Here }) {
  const { language, now } = here
  const t = residentText(language).knowledge
  const clock = (at: number) => clockWords(at, now.getTime(), timeZone, language)
  const until = clock(known.knownUntil ?? now.getTime())
  if (known.knowledge === 'used' && known.lastUseAt !== null)
    return (
      <>
        {known.lastUseBy ? t.seenBefore[known.lastUseBy] : t.usedBefore}
        <When at={known.lastUseAt} now={now} timeZone={timeZone} language={language} />
        {known.knownUntil === null ? t.seenEnd : t.usedAfter(until)}
      </>
    )
  if (known.knowledge === 'not used')
    return known.lastUseAt === null
      ? t.notUsedAtAll(until)
      : t.notUsed(
          clock(known.lastUseAt),
          durationWords(now.getTime() - known.lastUseAt, language),
          until,
          known.lastUseBy ? lastSeenWords[known.lastUseBy][language] : '',
        )
  const why =
    known.why === 'gatewaySilent' && known.gatewaySilentSince !== null
      ? t.gatewaySilentSince(clock(known.gatewaySilentSince))
      : t[known.why ?? 'noReadings']
  if (known.knownUntil === null || known.why === 'tooShort') return t.unknown(why)
  return t.unknownSince(clock(known.knownUntil), known.why === 'gatewaySilent' ? t.gatewaySilent : why)
}
