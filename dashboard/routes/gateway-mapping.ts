import type { EpochMs, Language } from '../../alerts/model.js'
import { decodeOne } from '../../ingest/decode.js'
import type { Saying } from '../../ingest/dialects/dialect.js'
import { checkMapping, type GenericMapping, type MappingProblem } from '../../ingest/dialects/generic-mapping.js'
import { type Trial, tryMapping } from '../../ingest/dialects/generic-trial.js'

export type Tried =
  | {
      readings: Saying[]
      rejections: { reason: string; detail: string }[]
      /** Rules that read nothing, and why. */
      passed: { name: string; is: Exclude<Trial['rules'][number]['outcome']['is'], 'read'> }[]
    }
  | { problems: MappingProblem[] }

/** To begin with: what most meters need. */
export const exampleMapping = JSON.stringify(
  {
    rules: [
      {
        name: '水表 / water meter',
        topic: 'meters/+/state',
        kind: 'water',
        device: { segment: 2 },
        fields: { litres: { path: 'total', unit: 'm3' } },
      },
    ],
  },
  null,
  2,
)

/** A mapping as an operator has written it, checked: as it is to be stored, or what is wrong with it, in words. */
export function readMapping(
  text: string,
  language: Language,
): { settings: unknown; mapping: GenericMapping } | { problems: MappingProblem[] } {
  let settings: unknown
  try {
    settings = JSON.parse(text)
  } catch (error) {
    return { problems: [{ at: 'JSON', message: (error as Error).message }] }
  }
  const checked = checkMapping(settings, language)
  return 'problems' in checked ? checked : { settings, mapping: checked.mapping }
}

/** What would come of this message with this mapping, held to the contract as ingest does it. Nothing is kept. */
export function tryOut(p: {
  mapping: string
  tryTopic: string
  tryMessage: string
  language: Language
  now: EpochMs
  timeZone: string
}): Tried {
  const read = readMapping(p.mapping, p.language)
  if ('problems' in read) return read
  const payload = new TextEncoder().encode(p.tryMessage)
  const trial = tryMapping(read.mapping, {
    topic: p.tryTopic.trim(),
    payload,
    receivedAt: p.now,
    timeZone: p.timeZone,
  })
  const held = trial.readings.map((saying) => ({ saying, ...decodeOne(saying.kind, saying.fields, p.now) }))
  return {
    readings: held.flatMap(({ saying, reading }) => (reading ? [saying] : [])),
    rejections: [...trial.rejections, ...held.flatMap(({ rejection }) => (rejection ? [rejection] : []))],
    passed: trial.rules.flatMap(({ index, name, outcome: { is } }) =>
      is === 'read' ? [] : [{ name: name || `#${index + 1}`, is }],
    ),
  }
}
