/** One publish as the broker hands it over, its sender authenticated. */
export type Message = {
  gatewayId: string
  topic: string
  payload: Buffer
  retain: boolean
  receivedAt: Date
  /** Of a message that the broker found too large: the size of its payload, in bytes. `payload` is then only its start. */
  oversizeBytes?: number | undefined
}
