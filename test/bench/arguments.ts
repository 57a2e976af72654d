import { parseArgs } from 'node:util'

export const partNames = ['ingest', 'press', 'memory', 'scale', 'database'] as const
export type PartName = (typeof partNames)[number]
export type BenchArguments = { json: boolean; rounds: number; parts: PartName[] }

const roundsMax = 99
export const usage = `usage: npm run bench -- [--json] [--rounds N] [--only PART[,PART]]   parts: ${partNames.join(', ')}`

/** @throws Error with one clear line for a flag or a part that does not exist, or a number that is none */
export function readBenchArguments(argv: string[]): BenchArguments {
  const { values } = parseArgs({
    args: argv,
    options: { json: { type: 'boolean' }, rounds: { type: 'string' }, only: { type: 'string' } },
    strict: true,
    allowPositionals: false,
  })
  const rounds = Number(values.rounds ?? 3)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > roundsMax)
    throw new Error(`--rounds ${values.rounds}: a whole number from 1 to ${roundsMax} is wanted`)
  const only = values.only?.split(',') ?? [...partNames]
  const unknown = only.find((name) => !partNames.includes(name as PartName))
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there is no such part, only ${partNames.join(', ')}`)
  return { json: values.json ?? false, rounds, parts: only as PartName[] }
}
