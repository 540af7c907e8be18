/* What tests take from the inside of kafkajs, to compare with. */

declare module 'kafkajs/src/utils/long' {
  const Long: { fromValue(value: number | string): { toString(): string } }
  export default Long
}

declare module 'kafkajs/src/protocol/requests/produce/v7/request' {
  import type { ProduceInput } from 'kafkajs/src/protocol/requests/produce'

  const request: (input: ProduceInput) => { encode(): Promise<{ readonly buffer: Buffer }> }
  export default request
}
