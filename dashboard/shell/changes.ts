import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Gauge, type Registry } from 'prom-client'
import { findNewestEvents, type NewestEvents } from '../../db/alert-changes.js'
import { newestCommandChange } from '../../db/command-views.js'
import type { Database } from '../../db/pool.js'
import type { Log } from '../../kit/log.js'
import { startLoop } from '../../kit/loop.js'
import type { Signal } from '../../kit/signal.js'

/** Tells browsers that something changed, and nothing more: they ask for their page again. */
export type Changes = {
  /**
   * Answers the request with a stream of change counters (server-sent events). `key` bounds streams: the eleventh of
   * one session or link is answered 429.
   */
  stream(request: FastifyRequest, reply: FastifyReply, key: string): FastifyReply
  stop(): Promise<void>
}

const pollMs = 1_000
/** Every open console asks for its page again: for what is no emergency not all of them in the same moment. */
const spreadMsMax = 1_000
const heartbeatMs = 25_000
const streamsPerKeyMax = 10
const streamsMax = 5_000
/** After this the browser connects anew, and the session is looked at again. */
const streamMsMax = 15 * 60_000
/** What is heard within this after an event of a synthetic resident is its echo; every page asks again by itself in 30 s. */
const echoMsMax = 2_000
/** A browser that reads this much too slowly is cut off; it comes back. */
const unsentBytesMax = 64 * 1024

type Stream = { key: string; openedMs: number; planned?: NodeJS.Timeout | undefined }

/**
 * One poll a second for the whole process, however many browsers listen, finds what other processes did; the signal
 * makes it look at once for what happened in this one. Emergencies are told to all in the same moment.
 */
export function createChanges({
  db,
  signal,
  log,
  metrics,
}: {
  db: Database
  signal: Signal
  log: Log
  metrics: Registry
}): Changes {
  const streams = new Map<ServerResponse, Stream>()
  let counter = 0
  let known: (NewestEvents & { command: number }) | undefined
  let raised = false
  let syntheticMs = Number.NEGATIVE_INFINITY
  new Gauge({
    name: 'shouwang_dashboard_streams',
    help: 'Browsers that listen for changes',
    registers: [metrics],
    collect() {
      this.set(streams.size)
    },
  })

  const send = (response: ServerResponse, text: string) => {
    response.write(text)
    if (response.writableLength > unsentBytesMax) response.destroy()
  }
  const tell = (response: ServerResponse, stream: Stream) => {
    clearTimeout(stream.planned)
    stream.planned = undefined
    send(response, `event: change\ndata: ${counter}\n\n`)
  }
  const changed = ({ emergency }: { emergency: boolean }) => {
    counter += 1
    for (const [response, stream] of streams)
      if (emergency) tell(response, stream)
      else stream.planned ??= setTimeout(() => tell(response, stream), Math.random() * spreadMsMax)
  }
  const forgetStream = (response: ServerResponse) => {
    clearTimeout(streams.get(response)?.planned)
    streams.delete(response)
  }
  const poll = startLoop({
    name: 'dashboard.changes',
    pauseMs: pollMs,
    log,
    work: async () => {
      if (streams.size === 0) return 'idle'
      const heard = raised
      raised = false
      const before = known
      const look = Promise.all([findNewestEvents(db, { seen: before?.newestOfAll ?? 0 }), newestCommandChange(db)])
      const [found, command] = await look.catch((error: unknown) => {
        raised ||= heard
        throw error
      })
      const emergency = before !== undefined && found.newestOfEmergency > before.newestOfEmergency
      const news = before && (found.newest > before.newest || command > before.command)
      if (before && !news && found.newestOfAll > before.newestOfAll) syntheticMs = performance.now()
      const isEcho = performance.now() - syntheticMs < echoMsMax
      if ((heard && !isEcho) || emergency || news) changed({ emergency })
      known = {
        newest: Math.max(found.newest, before?.newest ?? 0),
        newestOfEmergency: Math.max(found.newestOfEmergency, before?.newestOfEmergency ?? 0),
        newestOfAll: Math.max(found.newestOfAll, before?.newestOfAll ?? 0),
        command: Math.max(command, before?.command ?? 0),
      }
      return 'idle'
    },
  })
  const raise = () => {
    raised = true
    poll.nudge()
  }
  const forgets = [signal.on('alerts', raise), signal.on('commands', raise)]
  const heartbeat = setInterval(() => {
    const nowMs = performance.now()
    for (const [response, { openedMs }] of streams)
      if (nowMs - openedMs > streamMsMax) response.end()
      else send(response, ': still here\n\n')
  }, heartbeatMs)
  heartbeat.unref()

  return {
    stream: (request, reply, key) => {
      const own = [...streams.values()].filter((stream) => stream.key === key).length
      if (own >= streamsPerKeyMax || streams.size >= streamsMax)
        return reply.code(429).type('text/plain').send('too many streams')
      reply.hijack()
      const response = reply.raw
      response.on('error', (error) => log.debug({ error: error.message }, 'stream.failed'))
      response.on('close', () => forgetStream(response))
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        // Asks a proxy in front not to hold events back.
        'x-accel-buffering': 'no',
      })
      streams.set(response, { key, openedMs: performance.now() })
      request.raw.socket.setNoDelay(true)
      // Browsers that were cut off together do not all come back together.
      const retryMs = 1_000 + Math.floor(Math.random() * 4_000)
      send(response, `retry: ${retryMs}\nevent: change\ndata: ${counter}\n\n`)
      if (!known) poll.nudge()
      return reply
    },
    stop: async () => {
      for (const forget of forgets) forget()
      clearInterval(heartbeat)
      for (const response of [...streams.keys()]) {
        forgetStream(response)
        response.end()
      }
      await poll.stop()
    },
  }
}
