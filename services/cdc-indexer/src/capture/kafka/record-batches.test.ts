import { expect, test } from 'bun:test'
import { encodeChange } from '@sns/shared/events/change-record'
import { TOPIC_MESSAGE_BYTES } from '@sns/shared/events/tables'
import { created } from '@sns/shared/testing/change-log-harness'
import { testEvent } from '@sns/shared/testing/kafka-log'
import fc from 'fast-check'
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
        const batches = recordBatches(events, names)
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
          expect(sent).toEqual(
            wanted.flatMap(encodeChange).map(({ key, value }) => ({ key, value })),
          )
        }
      },
    ),
    { numRuns: 20 },
  )
}, 30_000)

function byteLength(value: Buffer | string | null): number {
  return value === null ? 0 : Buffer.byteLength(value)
}
