import { expect, test } from 'bun:test'
import { createKeyPartitioner, GroupedMessages } from '@sns/shared/adapters/kafka/key-partitioner'
import { encodeChange } from '@sns/shared/events/change-record'
import { TOPIC_MESSAGE_BYTES } from '@sns/shared/events/tables'
import { created } from '@sns/shared/testing/change-log-harness'
import { testEvent } from '@sns/shared/testing/kafka-log'
import fc from 'fast-check'
import type { Message } from 'kafkajs'
import { recordBatches } from './change-publisher'

const names = { prefix: 'sns', database: 'db' }

test('cuts by bytes, keeps the order and loses nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 1_500_000 }), { maxLength: 6 }),
      fc.array(fc.constantFrom('posts', 'comments'), { minLength: 6, maxLength: 6 }),
      (sizes, tables) => {
        const events = sizes.map((size, id) =>
          testEvent({ ...created(id, '가'.repeat(size / 3)), table: tables[id] ?? 'posts' }, id),
        )
        const batches = recordBatches(events.map(encodeChange), names)
        for (const batch of batches) {
          const messages = batch.flatMap((each) => each.messages)
          const bytes = messages.reduce((sum, { value }) => sum + byteLength(value), 0)
          expect(bytes).toBeLessThan(messages.length === 1 ? TOPIC_MESSAGE_BYTES : 1_900_001)
        }
        for (const table of ['posts', 'comments'] as const) {
          const sent = batches.flatMap((batch) =>
            batch
              .filter(({ topic }) => topic === `sns.db.${table}`)
              .flatMap((each) => each.messages),
          )
          const wanted = events.filter((event) => event.source.table === table)
          expect(sent).toEqual(wanted.map(encodeChange).map(({ key, value }) => ({ key, value })))
        }
      },
    ),
    { numRuns: 20 },
  )
}, 30_000)

test('groups as kafkajs does, each partition in its order', () => {
  const deleted = (id: number) => ({ ...created(id), op: 'd' }) as const
  const changes = Array.from({ length: 300 }, (_, n) =>
    encodeChange(testEvent(n % 7 === 0 ? deleted(n) : created(n), n)),
  )
  const [batch, ...more] = recordBatches(changes, names)
  const messages = batch?.[0]?.messages ?? []
  expect(more).toEqual([])
  expect(messages.filter(({ value }) => value === null)).toHaveLength(43)
  // What `groupMessagesPerPartition` of kafkajs 2.2.4 does with each.
  const partitioner = createKeyPartitioner()
  const [topic, partitionMetadata] = ['t', [0, 1, 2].map(partitionNumbered)]
  const add = (groups: Record<string, Message[]>, message: Message) => {
    const partition = partitioner({ topic, partitionMetadata, message })
    return Object.assign(groups, { [partition]: [...(groups[partition] ?? []), message] })
  }
  const grouped = GroupedMessages.from(messages) as GroupedMessages
  const groups = grouped.reduce(add, {})
  expect(Object.keys(groups)).toHaveLength(3)
  expect(groups).toEqual(messages.reduce(add, {}))
  expect(grouped.partitions).toEqual([0, 1, 2])
})

function partitionNumbered(partitionId: number) {
  return { partitionErrorCode: 0, partitionId, leader: 1, replicas: [1], isr: [1] }
}

function byteLength(value: Buffer | string | null): number {
  return value === null ? 0 : Buffer.byteLength(value)
}
