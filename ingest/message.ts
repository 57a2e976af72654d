import type { DialectOutput } from './dialects/dialect.js'

/** One publish as the broker hands it over, its sender authenticated. */
export type Message = {
  gatewayId: string
  topic: string
  payload: Buffer
  retain: boolean
  receivedAt: Date
  /** Of a message that the broker found too large: the size of its payload, in bytes. `payload` is then only its start. */
  oversizeBytes?: number | undefined
  /** It came over one connection with those of other gateways: a refusal must not hold them up. */
  shared?: boolean | undefined
  /**
   * What the adapter of its gateway made of it when it came. Read again after later ones, with what they left in the
   * adapter's memory, it could mean something else: a press that is known already.
   */
  said?: Said | undefined
}

export type Said = Pick<DialectOutput, 'readings' | 'rejections' | 'announcements' | 'memory'> & {
  /** Of `memory`, see Memories. */
  version?: number | undefined
}
