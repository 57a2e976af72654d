import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { compiledEntry } from '../../kit/entry.js'
import { eventually, freePort } from '../support/processes.js'

export type PipelineReport = { committed: number; lastCommitAtMs: number }

/** Mosquitto with an MQTT.js subscriber that inserts in batches. */
export type Pipeline = {
  port: number
  /** Counts from here. */
  begin(): Promise<void>
  /** Waits until `readings` are committed since then, or nothing has been for 3 s. */
  settled(readings: number): Promise<PipelineReport>
  stop(): Promise<void>
}

const stallMsMax = 3_000
const binaries = ['mosquitto', '/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto']

/** Nothing that Mosquitto could be slowed by, or drop for: no persistence, no log, no limits. */
const configOf = (port: number) => `listener ${port} 127.0.0.1
allow_anonymous true
persistence false
log_dest none
set_tcp_nodelay true
max_connections -1
max_inflight_messages 0
max_queued_messages 0
max_queued_bytes 0
`

/** Undefined where Mosquitto is not installed. */
export async function startPipeline(url: string): Promise<Pipeline | undefined> {
  const binary = binaries.find((name) => spawnSync(name, ['-h']).error === undefined)
  if (binary === undefined) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'shouwang-bench-'))
  const port = await freePort()
  const config = join(folder, 'mosquitto.conf')
  await writeFile(config, configOf(port) + (process.getuid?.() === 0 ? 'user root\n' : ''))
  const mosquitto = spawn(binary, ['-c', config], { stdio: 'ignore' })
  const killIt = () => void mosquitto.kill('SIGKILL')
  process.on('exit', killIt)
  await eventually('Mosquitto', () => isListening(port))
  const subscriber = fork(compiledEntry('test/bench/pipeline-subscriber'), {
    env: { ...process.env, DATABASE_URL: url, MQTT_PORT: String(port) },
  })
  await new Promise<void>((resolve, reject) => {
    subscriber.once('message', () => resolve())
    subscriber.once('exit', () => reject(new Error('the subscriber of the pipeline ended')))
  })
  const ask = () =>
    new Promise<PipelineReport>((resolve) => {
      subscriber.once('message', (report: PipelineReport) => resolve(report))
      subscriber.send('how far?')
    })
  let before = 0
  return {
    port,
    async begin() {
      before = (await ask()).committed
    },
    async settled(readings) {
      for (let committed = 0, sinceMs = Date.now(); ; await sleep(50)) {
        const all = await ask()
        const report = { ...all, committed: all.committed - before }
        if (report.committed > committed) sinceMs = Date.now()
        committed = report.committed
        if (committed >= readings || Date.now() - sinceMs > stallMsMax) return report
      }
    },
    async stop() {
      process.off('exit', killIt)
      await Promise.all([mosquitto, subscriber].map(kill))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function kill(child: ChildProcess) {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
