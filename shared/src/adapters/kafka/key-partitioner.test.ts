import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Partitioners } from 'kafkajs'
import { createKeyPartitioner } from './key-partitioner'

test('puts every key where Java and kafkajs put it', () => {
  const ours = createKeyPartitioner()
  const theirs = Partitioners.DefaultPartitioner()
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 60 }), (key, count) => {
      const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
        partitionErrorCode: 0,
        partitionId,
        leader: 1,
        replicas: [1],
        isr: [1],
      }))
      const args = { topic: 't', partitionMetadata, message: { key, value: null } }
      expect(ours(args)).toBe(theirs(args))
    }),
    { numRuns: 500 },
  )
}, 30_000)
