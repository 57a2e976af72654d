import { fork } from 'node:child_process'
import { compiledEntry } from '../../kit/entry.js'

export type DirectCommand = { warmUpMs: number; measureMs: number; batchRows: number }
export type DirectReport = { rows: number; seconds: number }

/** A process that inserts into `readings` on two connections, with no broker at all. */
export async function startDirect(url: string) {
  const child = fork(compiledEntry('test/bench/direct-insert'), { env: { ...process.env, DATABASE_URL: url } })
  const said = () =>
    new Promise<unknown>((resolve, reject) => {
      const gone = () => reject(new Error('the process that inserts ended'))
      child.once('exit', gone)
      child.once('message', (message) => {
        child.off('exit', gone)
        resolve(message)
      })
    })
  await said()
  return {
    /** Rows a second. */
    async run(command: DirectCommand): Promise<number> {
      const done = said()
      child.send(command)
      const { rows, seconds } = (await done) as DirectReport
      return rows / seconds
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
    },
  }
}
