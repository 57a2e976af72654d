import type { Aedes } from 'aedes'
import { idPattern } from '../ingest/contract.js'
import { commandTopic } from './topic-rights.js'

/** Sends commands, at QoS 1, to the clients of a gateway that are connected now; there is no queue for the others. */
export function createCommandSender({
  isConnected,
  aedes,
}: {
  isConnected: (gatewayId: string) => boolean
  aedes: () => Aedes | undefined
}) {
  return async (gatewayId: string, deviceId: string, payload: string | Buffer): Promise<void> => {
    const broker = aedes()
    if (!broker || !isConnected(gatewayId)) throw new Error(`gateway ${gatewayId} is not connected`)
    if (!idPattern.test(deviceId)) throw new Error(`${deviceId} cannot be a device id`)
    const topic = commandTopic(gatewayId, deviceId)
    await new Promise<void>((resolve, reject) => {
      broker.publish({ cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false }, (error) =>
        error ? reject(error) : resolve(),
      )
    })
  }
}
