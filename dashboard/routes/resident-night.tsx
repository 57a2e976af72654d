import { type BedNight, bedNights } from '../../db/night-rest.js'
import type { Queryable } from '../../db/pool.js'
import type { ResidentDevice } from '../../db/residents.js'
import { lastNight, type NightRest, restOf } from '../charts/night.js'
import type { Here } from '../shell/here.js'
import { nightText } from '../shell/text-night.js'
import { clockWords, durationWords, When } from '../shell/times.js'

/** A bed of the resident, with what is known of last night; `rest` is null where its sensor said nothing. */
export type NightOfBed = { device: ResidentDevice; night: BedNight | null; rest: NightRest | null }

/** Last night's rest of each bed that has a sensor; undefined where no bed has one. Times in the zone of the resident. */
export async function loadNight(
  db: Queryable,
  { devices, timeZone, now }: { devices: readonly ResidentDevice[]; timeZone: string; now: Date },
): Promise<NightOfBed[] | undefined> {
  const beds = devices.filter(({ kind, unboundAt }) => kind === 'bed' && unboundAt === null)
  if (beds.length === 0) return undefined
  const span = lastNight(now.getTime(), timeZone)
  const nights = await bedNights(db, { deviceNos: beds.map(({ deviceNo }) => deviceNo), ...span })
  return beds.map((device) => {
    const night = nights.find(({ deviceNo }) => deviceNo === device.deviceNo) ?? null
    return { device, night, rest: night && restOf(night, span) }
  })
}

type Props = { nights: readonly NightOfBed[]; timeZone: string; here: Here }

/** What the bed told of last night: how long, how often up, and how breath and heart were. For staff. */
export function Night({ nights, timeZone, here }: Props) {
  const t = nightText(here.language)
  return (
    <section aria-labelledby="night">
      <h2 id="night">{t.title}</h2>
      {nights.map((bed) => (
        <div key={bed.device.deviceNo}>
          {nights.length > 1 && bed.device.room !== '' && <h3>{bed.device.room}</h3>}
          <Rest bed={bed} timeZone={timeZone} here={here} />
        </div>
      ))}
    </section>
  )
}

function Rest({ bed, timeZone, here }: { bed: NightOfBed; timeZone: string; here: Here }) {
  const { language, now } = here
  const t = nightText(language)
  const { device, night, rest } = bed
  const when = (at: Date | number) => <When at={at} now={now} timeZone={timeZone} language={language} />
  if (!night || !rest)
    return (
      <p class="known known-unknown">
        {t.nothingHeard}
        {device.lastObservedAt && (
          <>
            {t.heardBefore}
            {when(device.lastObservedAt)}
            {t.end}
          </>
        )}
      </p>
    )
  const facts = [
    night.breaths && t.breaths(rangeWords(night.breaths)),
    night.heartBeats && t.heart(rangeWords(night.heartBeats)),
  ].filter((fact) => fact !== null)
  return (
    <>
      <p>{restWords(rest, { timeZone, here })}</p>
      {facts.length > 0 && (
        <p>
          {capital(facts.join(t.comma))}
          {t.end}
        </p>
      )}
      {rest.lastInBed && (
        <p>
          {t.lastInBed}
          {when(rest.heardAt)}
          {t.end}
        </p>
      )}
      {isUnknown(rest) && <p class="known known-unknown">{t.unknown(durationWords(rest.unknownMs, language))}</p>}
    </>
  )
}

/** Some minutes at the beginning or end are nothing to speak of. */
const unknownMsMin = 15 * 60_000
const isUnknown = ({ unknownMs }: NightRest) => unknownMs >= unknownMsMin

/** "In bed for 7 h 20 min, from 22:10 to 06:40; out of bed 2 times." Never "nobody in bed" while part of it is unknown. */
export function restWords(rest: NightRest, { timeZone, here }: { timeZone: string; here: Here }): string {
  const { language, now } = here
  const t = nightText(language)
  if (rest.firstInAt === null) return isUnknown(rest) ? t.notSeen : t.nobody
  const clock = (at: number) => clockWords(at, now.getTime(), timeZone, language)
  const length = durationWords(rest.inBedMs, language)
  const from = clock(rest.firstInAt)
  const inBed = rest.upAt === null ? t.inBedSince(length, from) : t.inBed(length, from, clock(rest.upAt))
  // Over a hole nobody can say that she did not get up.
  const out = rest.timesOut === 0 && isUnknown(rest) ? '' : t.timesOut(rest.timesOut)
  return `${inBed}${out}${t.end}`
}

const capital = (sentence: string) => sentence.charAt(0).toUpperCase() + sentence.slice(1)

const rangeWords = ({ min, max }: { min: number; max: number }) => {
  const [low, high] = [Math.round(min), Math.round(max)]
  return low === high ? String(low) : `${low}–${high}`
}
