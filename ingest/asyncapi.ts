import { z } from 'zod'
import {
  batchReadingsMax,
  commandResultSchema,
  commandSchemas,
  contractVersion,
  idPattern,
  presenceSchema,
  type ReadingKind,
  readingSchemas,
} from './contract.js'

type Json = { [key: string]: unknown }

const descriptions: Record<ReadingKind, string> = {
  water: 'Water meter: cumulative register in litres, flow in litres per minute.',
  electricity: 'Electricity meter: cumulative register in Wh, power in W.',
  button: 'Call button.',
  smoke: 'Smoke alarm.',
  gas: 'Gas alarm.',
  co: 'Carbon monoxide alarm.',
  leak: 'Water on the floor.',
  motion: 'Somebody moves, or nobody does any more.',
  door: 'A door or a window is open or closed.',
  bed: 'Somebody is in bed or out of it; breaths and heart beats per minute where they are measured.',
  voice: 'A speaker or panel was asked for help, or was told that all is well.',
}
const examples: Record<ReadingKind, Json> = {
  water: { ts: '2026-06-01T12:00:00+08:00', litres: 48213.5, flowLpm: 6.2, battery: 0.9 },
  electricity: { ts: 1780286400, wh: 1523400, w: 85 },
  button: { ts: 1780286400123, event: 'pressed', battery: 0.4 },
  smoke: { ts: '2026-06-01T12:00:00+08:00', alarm: true, level: 4.1, unit: '%/m' },
  gas: { ts: '2026-06-01T12:00:00+08:00', alarm: false },
  co: { ts: '2026-06-01T12:00:00+08:00', alarm: true, level: 120, unit: 'ppm' },
  leak: { ts: '2026-06-01T12:00:00+08:00', alarm: true },
  motion: { ts: '2026-06-01T12:00:00+08:00', motion: true },
  door: { ts: '2026-06-01T12:00:00+08:00', open: true },
  bed: { ts: '2026-06-01T23:10:00+08:00', inBed: true, breathsPerMin: 14, heartBeatsPerMin: 61 },
  voice: { ts: '2026-06-01T12:00:00+08:00', event: 'fine' },
}

/** What validates, as JSON Schema draft 7, which is what AsyncAPI builds on. */
const schemaOf = (schema: z.ZodType): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) as Json
  return rest
}
const ref = (path: string) => ({ $ref: `#/${path}` })
const idParameter = (description: string) => ({ description: `${description} Of the form ${idPattern.source}.` })
const kinds = Object.keys(readingSchemas) as ReadingKind[]
const mqtt = (retain: boolean) => ({ mqtt: { qos: 1, retain, bindingVersion: '0.2.0' } })

/**
 * The contract with gateways as an AsyncAPI 3.0 document, made of the schemas that validate. What a gateway publishes is
 * what Shouwang receives, in the words of AsyncAPI.
 */
export function asyncApiDocument(): Json {
  const channels: Json = {}
  const operations: Json = {}
  const messages: Json = {}
  const schemas: Json = {}
  const gatewayId = idParameter('The gateway, which is also its user name.')
  const parameters = { gatewayId, deviceId: idParameter('The device, as it was registered.') }

  function add(p: {
    key: string
    address: string
    action: 'receive' | 'send'
    retain?: boolean
    summary: string
    schema: Json
    examples: unknown[]
    parameters: Json
    contentType?: string
  }) {
    const { key } = p
    schemas[key] = p.schema
    messages[key] = {
      name: key,
      summary: p.summary,
      contentType: p.contentType ?? 'application/json',
      payload: ref(`components/schemas/${key}`),
      examples: p.examples.map((payload) => ({ payload })),
    }
    channels[key] = {
      address: `${contractVersion}/{gatewayId}/${p.address}`,
      messages: { [key]: ref(`components/messages/${key}`) },
      parameters: p.parameters,
    }
    operations[`${p.action}-${key}`] = {
      action: p.action,
      channel: ref(`channels/${key}`),
      messages: [ref(`channels/${key}/messages/${key}`)],
      summary: p.summary,
      bindings: mqtt(p.retain ?? false),
    }
  }

  for (const kind of kinds) {
    const one = schemaOf(readingSchemas[kind])
    schemas[`${kind}Reading`] = one
    const reading = ref(`components/schemas/${kind}Reading`)
    add({
      key: kind,
      address: `{deviceId}/${kind}`,
      action: 'receive',
      summary: descriptions[kind],
      schema: { oneOf: [reading, { type: 'array', items: reading, minItems: 1, maxItems: batchReadingsMax }] },
      examples: [examples[kind], [examples[kind]]],
      parameters,
    })
  }
  add({
    key: 'status',
    address: 'status',
    action: 'receive',
    retain: true,
    summary: 'Presence: online after connecting, offline as the last will. The word itself, without quotes.',
    schema: schemaOf(presenceSchema),
    examples: ['online', 'offline'],
    parameters: { gatewayId },
    contentType: 'text/plain',
  })
  const commandId = '3f2b8f6a-8f0e-4c39-9a52-0e6a1b7c9d10'
  const command = { id: commandId, expiresAt: '2026-06-01T04:05:00.000Z' }
  add({
    key: 'command',
    address: '{deviceId}/command',
    action: 'send',
    summary: 'What a device is asked to do. An id that was seen before is to be ignored, and so is what has expired.',
    schema: { oneOf: Object.values(commandSchemas).map(schemaOf) },
    examples: [
      { ...command, command: 'prompt', text: '您好，请回答：您还好吗？', language: 'zh-CN' },
      { ...command, command: 'led', on: true },
    ],
    parameters,
  })
  add({
    key: 'commandResult',
    address: '{deviceId}/command-result',
    action: 'receive',
    summary: 'What came of a command.',
    schema: schemaOf(commandResultSchema),
    examples: [{ id: commandId, result: 'done' }],
    parameters,
  })

  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Shouwang 守望: contract with gateways',
      version: '1.0.0',
      description:
        'MQTT 3.1.1, QoS 1. A PUBACK means that the reading is safe. A backlog goes as arrays. `ts` is ISO 8601 with zone, or epoch seconds or milliseconds. Unknown fields are ignored.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      tls: {
        host: 'shouwang.example.org:8883',
        protocol: 'secure-mqtt',
        protocolVersion: '3.1.1',
        security: [ref('components/securitySchemes/gateway')],
      },
    },
    channels,
    operations,
    components: {
      messages,
      schemas,
      securitySchemes: {
        gateway: { type: 'userPassword', description: 'User name: the id of the gateway. Password: its secret.' },
      },
    },
  }
}
