import { Readable } from 'node:stream'

type Identified = { cmd?: string; messageId?: number }

/**
 * The persistence that Aedes asks for, keeping nothing: sessions are clean, publishes go to ingest and to nobody else,
 * commands reach who is connected, and a will lives in its connection. So nothing in it can grow.
 *
 * QoS 2: each PUBLISH is new (accepting it again is harmless), each PUBREL finds its packet (which frees its slot).
 */
export function keepsNothing() {
  const nothing = async () => undefined
  const noStream = () => Readable.from([])
  const none = async () => []
  return {
    setup: async (_broker: unknown) => {},
    storeRetained: nothing,
    createRetainedStream: noStream,
    createRetainedStreamCombi: noStream,
    addSubscriptions: nothing,
    removeSubscriptions: nothing,
    subscriptionsByClient: none,
    subscriptionsByTopic: none,
    cleanSubscriptions: nothing,
    countOffline: async () => ({ subsCount: 0, clientsCount: 0 }),
    outgoingEnqueue: nothing,
    outgoingEnqueueCombi: nothing,
    outgoingUpdate: nothing,
    // What Aedes says of a PUBACK in its event `ack`: deliver.ts waits for it.
    outgoingClearMessageId: async (_client: unknown, packet: Identified) => packet,
    outgoingStream: noStream,
    incomingStorePacket: nothing,
    incomingGetPacket: async (_client: unknown, packet: Identified) => {
      if (packet.cmd === 'pubrel') return packet
      throw new Error('no such packet')
    },
    incomingDelPacket: nothing,
    cleanIncoming: nothing,
    putWill: nothing,
    getWill: nothing,
    delWill: nothing,
    streamWill: noStream,
    getClientList: noStream,
    destroy: nothing,
  }
}
