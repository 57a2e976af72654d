import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../kit/clock.js'
import { createLog } from '../../kit/log.js'
import { type Beat, failUrl, startDeadMan } from './dead-man.js'

let server: Server
let heard: { method: string; path: string; body: string }[]
let answer: (response: ServerResponse) => void
let beats: Beat[]
let deadMan: { stop(): Promise<void> } | undefined

beforeEach(async () => {
  heard = []
  beats = []
  answer = (response) => response.writeHead(200).end('OK')
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk
    })
    request.on('end', () => {
      heard.push({ method: request.method!, path: request.url!, body })
      answer(response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  await deadMan?.stop()
  deadMan = undefined
  server.closeAllConnections()
  server.close()
})

const start = (isWell: () => Promise<boolean | string>, path = '/ping/1') => {
  deadMan = startDeadMan({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    isWell,
    beaten: async (beat) => void beats.push(beat),
    everyMs: 50,
    retryPauseMs: 20,
    clock: systemClock,
    log: createLog({ role: 'test', level: 'silent' }),
    metrics: new Registry(),
  })
}

test('beats as long as all is well', async () => {
  start(async () => true)
  await expect.poll(() => heard.length).toBeGreaterThanOrEqual(3)
  expect(heard[0]).toEqual({ method: 'POST', path: '/ping/1', body: 'ok' })
  expect(beats[0]).toMatchObject({ failed: null })
})

test.each([
  ['a reason', async () => 'late: pages 75 s', 'late: pages 75 s'],
  ['no', async () => false, 'not ready'],
  ['no answer from the database', () => Promise.reject(new Error('no database')), 'not ready: no database'],
])(
  '%s: the address for failures is told, never the other',
  async (_, isWell: () => Promise<boolean | string>, said) => {
    start(isWell)
    await expect.poll(() => heard.length).toBeGreaterThanOrEqual(2)
    for (const each of heard) expect(each).toEqual({ method: 'POST', path: '/ping/1/fail', body: said })
    expect(beats[0]).toMatchObject({ failed: said })
  },
)

test('what hangs in its judgement is not well', async () => {
  let hangs = true
  start(() => (hangs ? new Promise(() => {}) : Promise.resolve(true)))
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(heard).toEqual([])
  hangs = false
  await expect.poll(() => heard.length, { timeout: 15_000, interval: 100 }).toBeGreaterThanOrEqual(2)
  expect(heard[0]!.path).toBe('/ping/1/fail')
  expect(heard[1]!.path).toBe('/ping/1')
}, 20_000)

test('a beat that does not arrive is tried again, and noted when it is in vain', async () => {
  let answers = 0
  answer = (response) => response.writeHead(++answers === 1 ? 502 : 200).end()
  start(async () => true)
  await expect.poll(() => beats.length).toBeGreaterThanOrEqual(1)
  expect(beats[0]).toMatchObject({ failed: null })
  expect(answers).toBeGreaterThanOrEqual(2)
  answer = (response) => response.writeHead(503).end()
  await expect.poll(() => beats.at(-1)?.failed).toBe('not delivered: HTTP 503')
  // A wrong address is not asked three times.
  answer = (response) => response.writeHead(404).end()
  const before = heard.length
  await expect.poll(() => beats.filter(({ failed }) => failed === 'not delivered: HTTP 404').length).toBe(2)
  expect(heard.length - before).toBeLessThanOrEqual(4)
})

test('stops in the middle of a beat', async () => {
  answer = () => {}
  start(async () => true)
  await expect.poll(() => heard.length).toBe(1)
  const startedAt = performance.now()
  await deadMan!.stop()
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  expect(beats).toEqual([])
})

test.each([
  ['https://hc.example/ping/abc', 'https://hc.example/ping/abc/fail'],
  ['https://hc.example/ping/abc/', 'https://hc.example/ping/abc/fail'],
  ['https://hc.example/ping/abc?create=1', 'https://hc.example/ping/abc/fail?create=1'],
])('%s fails at %s', (url, fail) => {
  expect(failUrl(url)).toBe(fail)
})
