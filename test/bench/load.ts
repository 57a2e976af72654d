import { fork } from 'node:child_process'
import { compiledEntry } from '../../kit/entry.js'

export type LoadOptions = {
  port: number
  /** The number of the first client's gateway. */
  from?: number | undefined
  clients: number
  /** Publishes of one client that wait for their acknowledgement. */
  window: number
  readingsPerPublish: number
  /** Publishes a second of all clients together; as fast as they are acknowledged where it is left out. */
  ratePerSecond?: number | undefined
  /** Clients come from 127.0.0.2, 127.0.0.3 and so on, a thousand from each. */
  spread?: boolean | undefined
}
export type LoadCommand = { warmUpMs: number; measureMs: number }
export type LoadResult = {
  /** Acknowledged while it was measured. */
  readings: number
  /** Acknowledged since the start, the warm-up and the end included. */
  readingsInAll: number
  seconds: number
  startedAtMs: number
  /** Publishes that had no acknowledgement 20 s after the end. */
  unacknowledged: number
  /** What the load itself cost, of the measured seconds. */
  cpuSeconds: number
  p50Ms: number
  p99Ms: number
}
export type LoadReport =
  | { kind: 'connected'; ms: number }
  | ({ kind: 'done' } & LoadResult)
  | { kind: 'failed'; message: string }

/** Water meters that publish from a process of their own; all are connected when this resolves. */
export type Load = {
  connectedMs: number
  run(command: LoadCommand): Promise<LoadResult>
  stop(): Promise<void>
}

/** @throws what the clients were told, or that the process ended */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const child = fork(compiledEntry('test/bench/load-main'), [JSON.stringify(options)])
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const report = () =>
    new Promise<LoadReport>((resolve, reject) => {
      const gone = () => reject(new Error('the load process ended'))
      child.once('exit', gone)
      child.once('message', (message: LoadReport) => {
        child.off('exit', gone)
        if (message.kind === 'failed') reject(new Error(`load: ${message.message}`))
        else resolve(message)
      })
    })
  const connected = await report()
  if (connected.kind !== 'connected') throw new Error(`the load said ${connected.kind} first`)
  return {
    connectedMs: connected.ms,
    run: async (command) => {
      const done = report()
      child.send(command)
      const result = await done
      if (result.kind !== 'done') throw new Error(`the load said ${result.kind}`)
      return result
    },
    stop: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}
