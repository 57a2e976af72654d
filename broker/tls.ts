import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { createSecureContext, createServer, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { StartError } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'

export type TlsFiles = { certFile: string; keyFile: string }
export type TlsTransport = {
  /** Begins the handshake on an accepted TCP connection. */
  receive(raw: Socket): void
  /** Reads the files again; keeps the old certificate, and says so, when the new ones are bad. */
  reload(): void
  /** When the certificate in use expires. */
  expiresAt(): Date
}

/**
 * TLS on connections that were accepted elsewhere (so that they are counted and timed before the handshake).
 * @throws StartError naming the setting when a file is missing, unreadable or does not fit
 */
export function createTlsTransport({
  files,
  handshakeMsMax,
  onSecure,
  log,
}: {
  files: TlsFiles
  handshakeMsMax: number
  onSecure: (socket: TLSSocket) => void
  log: Log
}): TlsTransport {
  let current = load(files)
  const server = createServer({ ...current.context, handshakeTimeout: handshakeMsMax }, onSecure)
  server.on('tlsClientError', (error) => log.debug({ error: error.message }, 'tls.handshakeFailed'))
  return {
    receive: (raw) => void server.emit('connection', raw),
    reload() {
      try {
        const next = load(files)
        server.setSecureContext(next.context)
        current = next
        log.info({ expiresAt: next.expiresAt.toISOString() }, 'tls.reloaded')
      } catch (error) {
        log.error({ error: (error as Error).message }, 'tls.reloadFailed')
      }
    },
    expiresAt: () => current.expiresAt,
  }
}

function load({ certFile, keyFile }: TlsFiles): { context: SecureContextOptions; expiresAt: Date } {
  const cert = read('TLS_CERT_FILE', certFile)
  const key = read('TLS_KEY_FILE', keyFile)
  const expiresAt = attempt('TLS_CERT_FILE', certFile, () => new Date(new X509Certificate(cert).validTo))
  attempt('TLS_CERT_FILE', certFile, () => createSecureContext({ cert }))
  const context: SecureContextOptions = { cert, key, minVersion: 'TLSv1.2' }
  attempt('TLS_KEY_FILE', keyFile, () => createSecureContext(context))
  return { context, expiresAt }
}

const read = (setting: string, file: string) => attempt(setting, file, () => readFileSync(file))

function attempt<T>(setting: string, file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new StartError(`setting ${setting} = "${file}": ${(error as Error).message}`)
  }
}
