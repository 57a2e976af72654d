import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { eventually, freePort } from './processes.js'

/** Where Debian's package puts it. */
const binary = ['/usr/sbin/dovecot', '/usr/local/sbin/dovecot', '/opt/homebrew/sbin/dovecot'].find(existsSync)
/** Mail is never kept by root: Dovecot refuses that. */
const nobody = 65_534
const password = 'invented:p@ss/word'

export type Dovecot = {
  /** For IMAP_URL, with what has to be escaped escaped. */
  url: string
  port: number
  /** Puts a mail into the box as a mail server does; `count` of them at once, each as `raw(n)` says. */
  deliver(raw: string | ((n: number) => string), count?: number): Promise<void>
  /** What lies in the box, with its flags. */
  files(): Promise<string[]>
  log(): Promise<string>
  start(): Promise<void>
  /** The server and all its connections go. */
  end(): Promise<void>
  stop(): Promise<void>
}

/** The real Dovecot on a port and in a folder of its own, with one mailbox. */
export async function startDovecot(): Promise<Dovecot> {
  if (!binary) throw new Error('these tests need Dovecot: apt-get install dovecot-imapd')
  const folder = await mkdtemp(join(tmpdir(), 'shouwang-dovecot-'))
  await chmod(folder, 0o755)
  const port = await freePort()
  const { uid, gid, username } = userInfo()
  const isRoot = uid === 0
  const owner = isRoot ? { uid: nobody, gid: nobody } : { uid, gid }
  const box = join(folder, 'box')
  for (const part of ['cur', 'new', 'tmp']) await mkdir(join(box, part), { recursive: true })
  for (const path of [box, ...['cur', 'new', 'tmp'].map((part) => join(box, part))])
    await chown(path, owner.uid, owner.gid)
  await mkdir(join(folder, 'run'))
  const config = [
    'protocols = imap',
    'listen = 127.0.0.1',
    `base_dir = ${folder}/run`,
    `state_dir = ${folder}/run`,
    `log_path = ${folder}/log`,
    'ssl = no',
    'disable_plaintext_auth = no',
    `mail_location = maildir:${box}`,
    'first_valid_uid = 1',
    'first_valid_gid = 1',
    'mailbox_idle_check_interval = 1 secs',
    // Each test process connects often, and all from one address.
    'mail_max_userip_connections = 100',
    ...(isRoot ? [] : [`default_internal_user = ${username}`, `default_login_user = ${username}`]),
    `passdb {\n  driver = static\n  args = password=${password}\n}`,
    `userdb {\n  driver = static\n  args = uid=${owner.uid} gid=${owner.gid} home=${box} allow_all_users=yes\n}`,
    `service imap-login {\n  chroot =\n  inet_listener imap {\n    port = ${port}\n  }\n  inet_listener imaps {\n    port = 0\n  }\n}`,
    'service anvil {\n  chroot =\n}',
    'service stats {\n  chroot =\n}',
  ]
  const file = join(folder, 'dovecot.conf')
  await writeFile(file, `${config.join('\n')}\n`)
  let child: ChildProcess | undefined
  let delivered = 0
  const kill = () => child?.kill('SIGKILL')
  process.on('exit', kill)
  const log = () => readFile(join(folder, 'log'), 'utf8').catch(() => '')

  async function start() {
    const started = spawn(binary!, ['-F', '-c', file], { stdio: 'ignore' })
    child = started
    await eventually('Dovecot listens', async () => {
      if (started.exitCode !== null) throw new Error(`Dovecot ended:\n${(await log()).slice(-2_000)}`)
      return (await answers(port)) || undefined
    })
  }
  async function end() {
    const ending = child
    child = undefined
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
    const ended = new Promise((resolve) => ending.once('exit', resolve))
    // Its master ends its workers with it.
    ending.kill('SIGTERM')
    await ended
  }
  await start()
  return {
    url: `imap://replies:${encodeURIComponent(password)}@127.0.0.1:${port}`,
    port,
    async deliver(raw, count = 1) {
      for (let n = 0; n < count; n++) {
        delivered += 1
        // Written whole before it is seen: what a mail server does.
        const name = `${Date.now()}.${String(delivered).padStart(6, '0')}.test`
        const text = typeof raw === 'string' ? raw : raw(n)
        await writeFile(join(box, 'tmp', name), Buffer.from(text, 'utf8'))
        await chown(join(box, 'tmp', name), owner.uid, owner.gid)
        await rename(join(box, 'tmp', name), join(box, 'new', name))
      }
    },
    async files() {
      const lists = await Promise.all(['new', 'cur'].map((part) => readdir(join(box, part))))
      return lists.flat().sort()
    },
    log,
    start,
    end,
    stop: async () => {
      await end()
      process.off('exit', kill)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
