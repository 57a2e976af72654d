import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { freePort } from './processes.js'

/** What to do with bytes on their way: `cutAfter` delivers them, and nothing comes back. */
export type Verdict = 'pass' | 'cut' | 'cutAfter'
export type Sender = 'client' | 'server'

export type FaultyLine = {
  /** Where the client connects instead of at `targetUrl`: the same but for host and port. */
  url: string
  /** How many connections are open, hanging ones included. */
  connections(): number
  /** Destroys the connections that are open; new ones pass. Returns how many there were. */
  cut(): number
  /** Destroys what is open and refuses what is new, until `mend`. */
  away(): Promise<void>
  /** Forwards nothing any more and closes nothing; new connections are accepted and get no answer. Until `mend`. */
  hang(): void
  /** The same for what is open only; new connections pass. As behind a firewall that forgot its connections. */
  freeze(): void
  /** Back to normal. What hung is destroyed with the bytes that it held: both ends learn of it now. */
  mend(): Promise<void>
  /** From now on each piece of bytes is judged first; without an argument everything passes again. */
  judge(decide?: (bytes: Buffer, from: Sender) => Verdict): void
  stop(): Promise<void>
}

type Wire = { client: Socket; server: Socket | undefined; frozen: boolean }

/**
 * A TCP line between a process of ours and what it talks to (a database, a broker), which can be cut, taken away or made
 * to hang. `targetUrl` names host and port, of any protocol over TCP without TLS.
 */
export async function startFaultyLine({ targetUrl }: { targetUrl: string }): Promise<FaultyLine> {
  const target = new URL(targetUrl)
  const wires = new Set<Wire>()
  let hanging = false
  let decide: (bytes: Buffer, from: Sender) => Verdict = () => 'pass'

  function destroy(wire: Wire) {
    if (!wires.delete(wire)) return
    wire.client.destroy()
    wire.server?.destroy()
  }
  function cut() {
    const count = wires.size
    for (const wire of [...wires]) destroy(wire)
    return count
  }
  function forward(wire: Wire, from: Sender, bytes: Buffer) {
    if (!wires.has(wire)) return
    const [source, sink] = from === 'client' ? [wire.client, wire.server!] : [wire.server!, wire.client]
    const verdict = decide(bytes, from)
    if (verdict === 'cut') return destroy(wire)
    if (verdict === 'cutAfter') {
      wires.delete(wire)
      // A destroyed socket might take the bytes along; an ended one delivers them first.
      sink.end(bytes)
      return void source.destroy()
    }
    if (sink.write(bytes)) return
    source.pause()
    sink.once('drain', () => wire.frozen || source.resume())
  }
  function open(client: Socket) {
    const wire: Wire = { client, server: undefined, frozen: hanging }
    wires.add(wire)
    client.on('error', () => destroy(wire)).on('close', () => destroy(wire))
    if (wire.frozen) return
    const server = dial({ host: target.hostname, port: Number(target.port), noDelay: true })
    wire.server = server
    server.on('error', () => destroy(wire)).on('close', () => destroy(wire))
    client.on('data', (bytes) => forward(wire, 'client', bytes)).on('end', () => server.end())
    server.on('data', (bytes) => forward(wire, 'server', bytes)).on('end', () => client.end())
  }

  function freeze() {
    for (const wire of wires) {
      wire.frozen = true
      wire.client.pause()
      wire.server?.pause()
    }
  }

  const port = await freePort()
  let listener: Server | undefined = await listenOn(port, open)
  const url = new URL(targetUrl)
  url.hostname = '127.0.0.1'
  url.port = String(port)

  async function away() {
    listener?.close()
    listener = undefined
    cut()
  }
  return {
    url: url.href,
    connections: () => wires.size,
    cut,
    away,
    hang() {
      hanging = true
      freeze()
    },
    freeze,
    async mend() {
      hanging = false
      for (const wire of [...wires]) if (wire.frozen) destroy(wire)
      listener ??= await listenOn(port, open)
    },
    judge(next = () => 'pass') {
      decide = next
    },
    stop: away,
  }
}

function listenOn(port: number, open: (client: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, open)
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
