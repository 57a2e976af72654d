import { channelWords, isChannelKind } from '../../alerts/channels/address.js'
import type { Language } from '../../alerts/model.js'
import type { Policy, PolicyStep } from '../../alerts/policy.js'
import type { NamedPerson } from '../../db/policies.js'
import { policyText } from '../shell/text-policies.js'

/** A time span in the largest units that fit: "1 hour", "2 minutes 30 seconds". */
export function spanText(seconds: number, language: Language): string {
  const t = policyText(language)
  const parts = [
    [Math.floor(seconds / 3_600), t.hours] as const,
    [Math.floor(seconds / 60) % 60, t.minutes] as const,
    [seconds % 60, t.seconds] as const,
  ].filter(([n]) => n > 0)
  return parts.map(([n, word]) => word(n)).join(' ')
}

export const kindText = (kind: string, language: Language): string =>
  isChannelKind(kind) ? channelWords[kind].name[language] : kind

/** A step as a sentence has it: "after 3 minutes: the supervisor, through all their channels". */
export function stepText(step: PolicyStep, people: readonly NamedPerson[], language: Language): string {
  const t = policyText(language)
  const comma = language === 'zh' ? '，' : ', '
  const who = step.to.map((target) =>
    typeof target === 'string' ? t.to[target] : (people.find((p) => p.staffId === target.staffId)?.name ?? t.gone),
  )
  const through =
    typeof step.channels === 'string'
      ? t.channels[step.channels]
      : t.byKinds(step.channels.map((kind) => kindText(kind, language)).join(t.and))
  const when = step.afterSeconds === 0 ? t.atOnce : t.at(spanText(step.afterSeconds, language))
  return `${when}${language === 'zh' ? '：' : ': '}${[
    who.join(t.and),
    through,
    ...(step.family ? [t.familyToo] : []),
    ...(step.condition === 'not resolved' ? [t.unlessClosed] : []),
  ].join(comma)}`
}

/** What follows the steps: repeats, and how long who has taken it may take. */
export function afterwards({ repeatAfterSeconds, roundsMax, stageSecondsMax }: Policy, language: Language): string[] {
  const t = policyText(language)
  const again = spanText(repeatAfterSeconds, language)
  const time = (seconds: number | null) => (seconds === null ? t.stageFree : spanText(seconds, language))
  const { acknowledged, en_route, arrived } = stageSecondsMax
  return [
    roundsMax === null ? t.again(again) : t.againTimes(again, roundsMax),
    t.stages(time(acknowledged), time(en_route), time(arrived)),
  ]
}
