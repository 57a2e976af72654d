import { createServer, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, WebSocketServer } from 'ws'
import type { Log } from '../kit/log.js'
import type { Visitor } from './door.js'

const subprotocol = 'mqtt'

export type WebSocketTransport = { receive(visitor: Visitor): void }

/**
 * MQTT over WebSocket (subprotocol `mqtt`, binary messages, any path) on connections that were accepted elsewhere.
 * Compression is off: it would let a few bytes unfold into many.
 */
export function createWebSocketTransport({
  packetBytesMax,
  connectBytesMax,
  onOpen,
  log,
}: {
  packetBytesMax: number
  connectBytesMax: number
  onOpen: (visitor: Visitor, stream: Duplex) => void
  log: Log
}): WebSocketTransport {
  const visitors = new WeakMap<Duplex, Visitor>()
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // One message is collected whole before the frame guard sees it.
    maxPayload: packetBytesMax,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  })
  const server = createServer((_request, response) => {
    response.writeHead(426, { connection: 'close', upgrade: 'websocket', 'content-type': 'text/plain' })
    response.end('MQTT over WebSocket lives here: connect with the subprotocol "mqtt".\n')
  })
  server.on('clientError', (error, socket) => {
    log.debug({ error: error.message }, 'websocket.badRequest')
    socket.destroy()
  })
  server.on('upgrade', (request, socket, head) => {
    const visitor = visitors.get(socket)
    if (!visitor || !offers(request)) {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      // Until the gateway is known it gets no more memory here than on the other transports.
      let bytesLeft = 2 * connectBytesMax - head.length
      const count = (chunk: Buffer) => {
        if (visitor.authenticated) socket.off('data', count)
        bytesLeft -= chunk.length
        if (!visitor.authenticated && bytesLeft < 0) socket.destroy()
      }
      socket.on('data', count)
      // ws would wait 30 s for the peer to agree that the connection is over.
      ws.once('error', (error) => {
        log.debug({ error: error.message }, 'websocket.error')
        socket.destroy()
      })
      onOpen(visitor, createWebSocketStream(ws))
    })
  })
  return {
    receive(visitor) {
      visitors.set(visitor.raw, visitor)
      server.emit('connection', visitor.raw satisfies Socket)
    },
  }
}

const offers = (request: IncomingMessage) =>
  String(request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .some((name) => name.trim() === subprotocol)
