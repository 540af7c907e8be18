/* What we replace of the inside of kafkajs 2.2.4. */

declare module 'kafkajs/src/protocol/requests/produce' {
  import type { CompressionTypes, Message } from 'kafkajs'

  /** What kafkajs' broker gives to its request of versions 3 to 7. */
  export interface ProduceInput {
    readonly transactionalId?: string | undefined
    /** A 64-bit integer of the `long` package. */
    readonly producerId: { toString(): string }
    readonly producerEpoch: number
    readonly acks: number
    readonly timeout: number
    readonly compression: CompressionTypes
    readonly topicData: readonly {
      readonly topic: string
      readonly partitions: readonly {
        readonly partition: number
        readonly firstSequence: number
        readonly messages: readonly Message[]
      }[]
    }[]
  }

  interface Encoded {
    readonly buffer: Buffer
  }

  interface Request {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    readonly expectResponse: () => boolean
    readonly encode: () => Promise<Encoded>
  }

  type MakeRequest = (input: ProduceInput) => {
    readonly request: Request
    readonly response: unknown
  }

  /** The part of kafkajs' own that we put another request into. */
  const produce: { protocol(version: { readonly version: number }): MakeRequest }
  export default produce
}
