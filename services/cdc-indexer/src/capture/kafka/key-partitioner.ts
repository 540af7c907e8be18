import type { ICustomPartitioner } from 'kafkajs'

const SEED = 0x9747b28c
const M = 0x5bd1e995

/**
 * The partition of a key as Java's default partitioner has it, so that Debezium and we put a row's
 * changes into the same one. Several times faster than kafkajs' own, which counts in 64 bits.
 */
export const createKeyPartitioner: ICustomPartitioner =
  () =>
  ({ message, partitionMetadata }) => {
    if (message.key === null || message.key === undefined) throw new TypeError('a key is needed')
    return (murmur2(Buffer.from(message.key)) & 0x7fffffff) % partitionMetadata.length
  }

/** MurmurHash2 by Austin Appleby, 32 bits, with the seed that Kafka chose. */
function murmur2(data: Buffer): number {
  const { length } = data
  const whole = length & ~3
  let hash = SEED ^ length
  for (let i = 0; i < whole; i += 4) {
    let word = Math.imul(data.readInt32LE(i), M)
    word = Math.imul(word ^ (word >>> 24), M)
    hash = Math.imul(hash, M) ^ word
  }
  if (length > whole) {
    for (let i = length - 1; i >= whole; i--) hash ^= (data[i] ?? 0) << ((i - whole) * 8)
    hash = Math.imul(hash, M)
  }
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}
