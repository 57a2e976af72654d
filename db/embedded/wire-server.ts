import { timingSafeEqual } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'

/** What of PGlite the wire server needs. */
export type Engine = { execProtocolRaw(message: Uint8Array): Promise<Uint8Array> }

const messageBytesMax = 256 * 1024 * 1024
const sslRequest = 80_877_103
const cancelRequest = 80_877_102
const ask = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]) // AuthenticationCleartextPassword

type Session = { socket: Socket; units: Buffer[][]; pending: Buffer[]; open: boolean }

/**
 * Serves one PGlite to many PostgreSQL clients. All of them share one backend session, so what must not interleave is
 * kept together: the messages of one extended query up to its Sync run as one unit, and a session that has a
 * transaction open is served alone until it ends. (The ready-made socket server interleaves Parse and Bind of different
 * clients: 338 of 500 concurrent parameterised queries failed.)
 */
export function createWireServer({ engine, password }: { engine: Engine; password: string }): Server {
  const queue: Session[] = []
  let busy = false
  let owner: Session | undefined

  async function drain() {
    if (busy) return
    busy = true
    for (let session = next(); session; session = next()) {
      const unit = session.units.shift()!
      for (const message of unit) {
        const answer = await engine.execProtocolRaw(new Uint8Array(message))
        const status = readyStatus(answer)
        if (status) owner = status === 'I' ? undefined : session
        if (session.open && answer.length > 0 && !asksForMd5(answer)) session.socket.write(answer)
      }
      if (!session.open && owner === session) await release(session)
    }
    busy = false
  }
  function next(): Session | undefined {
    if (owner) return owner.units.length > 0 ? owner : undefined
    for (let session = queue.shift(); session; session = queue.shift()) if (session.units.length > 0) return session
    return undefined
  }
  async function release(session: Session) {
    session.units.length = 0
    if (owner !== session) return
    await engine.execProtocolRaw(new Uint8Array(query('rollback')))
    owner = undefined
  }
  function enqueue(session: Session, unit: Buffer[]) {
    session.units.push(unit)
    queue.push(session)
    void drain()
  }

  return createServer({ noDelay: true }, (socket) => {
    const session: Session = { socket, units: [], pending: [], open: true }
    let buffer = Buffer.alloc(0)
    let startup: Buffer | undefined
    let authenticated = false

    socket.on('data', (chunk) => {
      buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk])
      while (session.open) {
        const head = startup ? 1 : 0
        if (buffer.length < head + 4) return
        const length = head + buffer.readUInt32BE(head)
        if (length < head + 4 || length > messageBytesMax) return void socket.destroy()
        if (buffer.length < length) return
        const message = buffer.subarray(0, length)
        buffer = buffer.subarray(length)
        receive(message)
      }
    })
    function receive(message: Buffer) {
      if (!startup) {
        const code = message.readUInt32BE(4)
        if (code === sslRequest) return void socket.write('N')
        if (code === cancelRequest) return void socket.destroy()
        startup = message
        return void socket.write(ask)
      }
      const type = String.fromCharCode(message[0]!)
      if (!authenticated) {
        const given = message.subarray(5, message.length - 1)
        const wanted = Buffer.from(password)
        authenticated = type === 'p' && given.length === wanted.length && timingSafeEqual(given, wanted)
        if (!authenticated) return void socket.end(refusal('password authentication failed', '28P01'))
        return enqueue(session, [startup, message])
      }
      if (type === 'X') return void socket.end()
      session.pending.push(message)
      if (type !== 'Q' && type !== 'S') return
      const unit = session.pending
      session.pending = []
      enqueue(session, unit)
    }
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      session.open = false
      if (busy) return // drain releases it after the unit under way
      busy = true
      void release(session).then(() => {
        busy = false
        return drain()
      })
    })
  })
}

/** The transaction status in the ReadyForQuery that ends an answer: I idle, T in a transaction, E in a failed one. */
function readyStatus(answer: Uint8Array): string | undefined {
  const at = answer.length - 6
  return at >= 0 && answer[at] === 0x5a && answer[at + 4] === 5 ? String.fromCharCode(answer[at + 5]!) : undefined
}

/** PGlite asks for a password of its own at startup and takes any; ours has been checked by then. */
const asksForMd5 = (answer: Uint8Array) => answer[0] === 0x52 && answer[8] === 5

function query(sql: string): Buffer {
  const text = Buffer.from(`${sql}\0`)
  const head = Buffer.alloc(5)
  head.write('Q')
  head.writeUInt32BE(4 + text.length, 1)
  return Buffer.concat([head, text])
}

function refusal(message: string, code: string): Buffer {
  const body = Buffer.from(`SFATAL\0C${code}\0M${message}\0\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeUInt32BE(4 + body.length, 1)
  return Buffer.concat([head, body])
}
