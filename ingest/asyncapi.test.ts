import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { projectRoot } from '../kit/entry.js'
import { asyncApiDocument } from './asyncapi.js'
import { commandResultSchema, commandSchemas, type ReadingKind, readingSchemas } from './contract.js'

const document = asyncApiDocument() as {
  channels: Record<string, { address: string }>
  components: { schemas: Record<string, object>; messages: Record<string, { examples: { payload: unknown }[] }> }
}
const published = JSON.parse(readFileSync(join(projectRoot, 'ingest/asyncapi.json'), 'utf8'))
const specification = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0.json') as object
const newAjv = (meta = true) => new Ajv({ strict: false, validateFormats: false, allErrors: true, meta })

test('is AsyncAPI 3.0, as its specification has it', () => {
  // The specification brings JSON Schema itself along.
  const validate = newAjv(false).compile(specification)
  validate(document)
  expect(validate.errors ?? []).toEqual([])
  expect(validate({ ...document, channels: { broken: { address: 3 } } })).toBe(false)
})

test('the document in the repository is the one that the schemas make: npm run --silent asyncapi > ingest/asyncapi.json', () => {
  expect(published).toEqual(JSON.parse(JSON.stringify(document)))
})

const kinds = Object.keys(readingSchemas) as ReadingKind[]
test('each kind has its channel, and so have presence, commands and their results', () => {
  const addresses = Object.values(document.channels).map(({ address }) => address)
  expect(addresses.sort()).toEqual(
    [
      ...kinds.map((kind) => `v1/{gatewayId}/{deviceId}/${kind}`),
      'v1/{gatewayId}/status',
      'v1/{gatewayId}/{deviceId}/command',
      'v1/{gatewayId}/{deviceId}/command-result',
    ].sort(),
  )
})

describe('it says what the schemas say', () => {
  const ajv = newAjv()
  ajv.addSchema({ $id: 'contract', components: document.components })
  const byDocument = (name: string) => ajv.compile({ $ref: `contract#/components/schemas/${name}` })
  const odd = [
    {},
    { ts: true },
    { ts: 1, litres: -1 },
    { ts: 1, wh: '7' },
    { event: 'kicked' },
    { alarm: 'on' },
    7,
    null,
  ]

  test.each(kinds)('%s: its examples are right in both, what is odd is wrong in both', (kind) => {
    const one = byDocument(`${kind}Reading`)
    const examples = document.components.messages[kind]!.examples.map(({ payload }) => payload)
    const [single] = examples
    expect(examples.map((payload) => byDocument(kind)(payload))).toEqual(examples.map(() => true))
    const samples = [single, ...odd, ...odd.map((fields) => ({ ...(single as object), ...(fields as object) }))]
    expect(samples.map((sample) => one(sample))).toEqual(
      samples.map((sample) => readingSchemas[kind].safeParse(sample).success),
    )
    expect(byDocument(kind)(Array.from({ length: 1_001 }, () => single))).toBe(false)
    expect(byDocument(kind)([])).toBe(false)
  })
  test('commands and their results', () => {
    const [prompt, led] = document.components.messages.command!.examples.map(({ payload }) => payload)
    expect(commandSchemas.prompt.safeParse(prompt).success && byDocument('command')(prompt)).toBe(true)
    expect(commandSchemas.led.safeParse(led).success && byDocument('command')(led)).toBe(true)
    expect(byDocument('command')({ ...(led as object), on: 'yes' })).toBe(false)
    const [result] = document.components.messages.commandResult!.examples.map(({ payload }) => payload)
    expect(commandResultSchema.safeParse(result).success && byDocument('commandResult')(result)).toBe(true)
  })
})
