import {
  checkPolicy,
  emergencyPauseSecondsMax,
  emergencyStageSecondsMax,
  type PagedSeverity,
  type Policy,
  type PolicyStep,
  type TakenStage,
  type Target,
  targetRoles,
} from './policy.js'

/** How long the pauses and stages of invented policies are, in seconds, by severity. */
const ranges = {
  emergency: { pause: [30, emergencyPauseSecondsMax], repeat: [60, emergencyPauseSecondsMax], stage: [60, 900] },
  urgent: { pause: [120, 2_400], repeat: [600, 3_600], stage: [600, 7_200] },
  warning: { pause: [600, 7_200], repeat: [3_600, 14_400], stage: [3_600, 86_400] },
} as const

/** An invented policy of everything that one may hold; `random` gives numbers in [0, 1). */
export function randomPolicy(
  random: () => number,
  { severity, named = [], kinds = [] }: { severity: PagedSeverity; named?: string[]; kinds?: string[] },
): Policy {
  const between = ([low, high]: readonly [number, number]) => low + Math.floor(random() * (high - low + 1))
  const chance = (share: number) => random() < share
  const pick = <T>(items: readonly T[]) => items[between([0, items.length - 1])]!
  const { pause, repeat, stage } = ranges[severity]
  const target = (): Target => (named.length > 0 && chance(0.2) ? { staffId: pick(named) } : pick(targetRoles))
  const channels = (): PolicyStep['channels'] =>
    kinds.length > 0 && chance(0.2) ? [pick(kinds)] : pick(['all', 'all', 'first'] as const)
  let afterSeconds = 0
  const steps = Array.from({ length: between([1, 5]) }, (_, index): PolicyStep => {
    if (index > 0) afterSeconds += between(pause)
    return {
      afterSeconds,
      to: Array.from({ length: between([1, 2]) }, target),
      channels: channels(),
      family: chance(0.25),
      condition: index > 0 && chance(0.2) ? 'not resolved' : 'not acknowledged',
    }
  })
  const isEmergency = severity === 'emergency'
  const stageSeconds = (name: TakenStage) =>
    isEmergency ? between([60, emergencyStageSecondsMax[name]]) : chance(0.2) ? null : between(stage)
  const policy: Policy = {
    steps,
    repeatAfterSeconds: between(repeat),
    roundsMax: isEmergency || chance(0.6) ? null : between([1, 4]),
    stageSecondsMax: {
      acknowledged: stageSeconds('acknowledged'),
      en_route: stageSeconds('en_route'),
      arrived: stageSeconds('arrived'),
    },
  }
  const problem = checkPolicy(severity, policy)
  if ('problem' in problem) throw new Error(`an invented policy is refused: ${problem.problem}`)
  return policy
}
