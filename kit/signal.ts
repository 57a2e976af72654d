import { EventEmitter } from 'node:events'

/**
 * What may have changed: `pages` (the outbox has work), `alerts` (something to show), `arrivals` (readings to fold),
 * `commands` (something to send to a home, or to show of it), `messages` (something to tell a person).
 * A signal only saves waiting for the next poll; it is never the only way that work is found.
 */
export type SignalName = 'pages' | 'alerts' | 'arrivals' | 'commands' | 'messages'
export type Signal = { raise(name: SignalName): void; on(name: SignalName, listener: () => void): () => void }

/** A signal inside one process. `db/notifications` carries it between processes where the database can. */
export function createSignal(): Signal {
  const emitter = new EventEmitter().setMaxListeners(0)
  return {
    raise: (name) => void emitter.emit(name),
    on: (name, listener) => {
      emitter.on(name, listener)
      return () => void emitter.off(name, listener)
    },
  }
}
