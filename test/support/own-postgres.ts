import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { chown, mkdtemp, open, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'

import { eventually, freePort, isAlive } from './processes.js'

const run = promisify(execFile)

/** Where the binaries of a running server are, and as whom it runs. Its `root` is not ours where it runs in a chroot. */
type Installed = { root: string; binaries: string; uid: number; gid: number }

export type OwnPostgres = {
  url: string
  /** SIGKILL to the server and all its backends at once, as a power cut does. */
  kill(): Promise<void>
  /** After `kill`: starts it again on the same files, and waits until it takes connections. */
  start(): Promise<void>
  /** Fills the disk that holds the tables of `url`'s database; only with `diskBytes`. */
  fillDisk(): Promise<void>
  /** Undoes `fillDisk`. */
  makeRoom(): Promise<void>
  stop(): Promise<void>
}

/**
 * A native TimescaleDB server of the test's own, which it may kill: a fresh cluster in a temporary folder, from the
 * binaries of the server at `serverUrl`, which must run on this machine. With `diskBytes` its tables lie on a disk (a
 * tmpfs) of that size; its log does not. The server refuses to run as root: as root it is started as whoever runs the
 * other one.
 * @throws when the server at `serverUrl` runs elsewhere
 */
export async function startOwnPostgres({
  serverUrl,
  diskBytes,
}: {
  serverUrl: string
  diskBytes?: number
}): Promise<OwnPostgres> {
  const installed = await findInstalled(serverUrl)
  const { root, uid, gid } = installed
  const folder = await mkdtemp(join(root, 'tmp', 'shouwang-postgres-'))
  await chown(folder, uid, gid)
  const inside = `/tmp/${basename(folder)}`
  const disk = diskBytes === undefined ? undefined : join(folder, 'disk')
  const port = await freePort()
  let server: ChildProcess | undefined

  const inRoot = (binary: string, args: string[]): [string, string[]] => [
    'chroot',
    [
      `--userspec=${uid}:${gid}`,
      root,
      '/usr/bin/env',
      '-i',
      'LC_ALL=C.UTF-8',
      `${installed.binaries}/${binary}`,
      ...args,
    ],
  ]

  async function start() {
    const [command, args] = inRoot('postgres', ['-D', `${inside}/cluster`])
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    server = child
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000)
    })
    await eventually(
      'a PostgreSQL that takes connections',
      async () => {
        if (child.exitCode !== null) throw new Error(`PostgreSQL ended with code ${child.exitCode}:\n${said}`)
        return answers(`postgres://postgres@127.0.0.1:${port}/postgres`)
      },
      30_000,
    )
  }
  async function kill() {
    const pid = server?.pid
    if (pid === undefined) return
    server = undefined
    const backends = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => ''))
      .split(' ')
      .filter(Boolean)
      .map(Number)
    for (const each of [pid, ...backends]) killNow(each)
    await eventually('the end of PostgreSQL', () => ![pid, ...backends].some(isAlive))
  }
  const atExit = () => {
    if (server?.pid !== undefined) killNow(server.pid)
    if (disk) spawnSync('umount', ['--lazy', disk])
  }
  process.on('exit', atExit)

  const initdb = inRoot('initdb', ['-D', `${inside}/cluster`, '-U', 'postgres', '--auth=trust', '--no-sync'])
  await run(...initdb)
  await writeFile(
    join(folder, 'cluster', 'postgresql.auto.conf'),
    `shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
listen_addresses = '127.0.0.1'
unix_socket_directories = '${inside}'
port = ${port}
`,
  )
  if (disk) {
    await run('mkdir', [disk])
    await run('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes},uid=${uid},gid=${gid},mode=700`, 'tmpfs', disk])
  }
  await start()
  const url = `postgres://postgres@127.0.0.1:${port}/${disk ? 'small' : 'postgres'}`
  if (disk) {
    const admin = new pg.Client({ connectionString: `postgres://postgres@127.0.0.1:${port}/postgres` })
    await admin.connect()
    await admin.query(`create tablespace small location '${inside}/disk'`)
    await admin.query('create database small tablespace small')
    await admin.end()
  }
  const ballast = disk && join(disk, 'ballast')

  return {
    url,
    start,
    kill,
    async fillDisk() {
      if (!ballast) throw new Error('it has no disk of its own')
      const file = await open(ballast, 'w')
      const zeros = Buffer.alloc(65_536)
      const isFull = (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOSPC') throw error
        return true
      }
      let full = false
      while (!full) full = await file.write(zeros).then(({ bytesWritten }) => bytesWritten < zeros.length, isFull)
      await file.close()
    },
    makeRoom: () => rm(ballast ?? '', { force: true }),
    async stop() {
      await kill()
      process.off('exit', atExit)
      if (disk) await run('umount', [disk])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Asks the server for a process of its own and looks at that: nobody need tell where it is installed. */
async function findInstalled(serverUrl: string): Promise<Installed> {
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    const { pid } = rows[0]!
    const root = await readlink(`/proc/${pid}/root`)
    const executable = await readlink(`/proc/${pid}/exe`)
    if (basename(executable) !== 'postgres') throw new Error(`process ${pid} here is ${executable}`)
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const idOf = (name: string) => Number(new RegExp(`^${name}:\\t(\\d+)`, 'm').exec(status)![1])
    const binaries = dirname(root === '/' ? executable : executable.slice(root.length))
    return { root, binaries, uid: idOf('Uid'), gid: idOf('Gid') }
  } catch (error) {
    throw new Error(`the server at TEST_DATABASE_URL must run on this machine: ${(error as Error).message}`)
  } finally {
    await client.end()
  }
}

async function answers(url: string): Promise<true | undefined> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  return client.connect().then(
    () => client.end().then(() => true as const),
    () => undefined,
  )
}

function killNow(pid: number) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // ESRCH: it is gone
  }
}
