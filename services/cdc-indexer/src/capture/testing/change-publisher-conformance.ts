import { describe, expect, test } from 'bun:test'
import { encodeChange } from '@sns/shared/events/change-record'
import type { TestChange } from '@sns/shared/testing/change-log-harness'
import { created } from '@sns/shared/testing/change-log-harness'
import { testEvent } from '@sns/shared/testing/kafka-log'
import type { ChangePublisher } from '../ports/change-publisher'

export interface PublishedRecord {
  readonly topic: string
  readonly partition: number
  readonly key: string
  /** Null for a tombstone. */
  readonly value: string | null
}

/** A log of one's own that can be read as it is stored. */
export interface ChangePublisherHarness extends AsyncDisposable {
  readonly publisher: ChangePublisher
  /** Everything stored, in order per partition, once there is at least so much. */
  records(atLeast: number): Promise<readonly PublishedRecord[]>
}

const TEST_MS = 60_000

/** What every `ChangePublisher` promises. Each test gets an empty log. */
export function changePublisherConformance(
  name: string,
  create: () => Promise<ChangePublisherHarness>,
): void {
  describe(name, () => {
    test(
      'stores every event whole, under its key, in the order of the key',
      async () => {
        await using harness = await create()
        const events = Array.from({ length: 200 }, (_, n) =>
          testEvent(
            { table: 'posts', op: n < 20 ? 'c' : 'u', id: n % 20, text: `v${n} 안녕 🙂` },
            n,
          ),
        )
        await harness.publisher.publish(events.map(encodeChange))
        const records = await harness.records(200)
        for (let id = 0; id < 20; id++) {
          const mine = records.filter(({ key }) => key === JSON.stringify({ id }))
          expect(new Set(mine.map(({ partition }) => partition)).size).toBe(1)
          expect(mine.map(({ value }) => JSON.parse(value ?? 'null'))).toEqual(
            events.filter(({ after }) => after?.id === id),
          )
        }
        expect(records).toHaveLength(200)
      },
      TEST_MS,
    )

    test(
      'says which transactions came last, of each table',
      async () => {
        await using harness = await create()
        expect(await harness.publisher.tail()).toEqual([])
        const post = testEvent(created(1), 3)
        const comment = testEvent({ table: 'comments', op: 'd', id: 7, text: 'gone' }, 4)
        const counted = { ...comment, source: { ...comment.source, sequence: 9 } }
        await harness.publisher.publish([encodeChange(post)])
        await harness.publisher.publish([encodeChange(counted)])
        const tail = [...(await harness.publisher.tail())]
        expect(tail.sort((a, b) => a.sequence - b.sequence)).toEqual([
          { gtid: post.source.gtid, sequence: Number(post.source.gtid.split(':').at(-1)) },
          { gtid: comment.source.gtid, sequence: 9 },
        ])
      },
      TEST_MS,
    )

    test(
      'puts a tombstone after each delete, and tables apart',
      async () => {
        await using harness = await create()
        const comment: TestChange = { table: 'comments', op: 'c', id: 7, text: 'a comment' }
        const gone: TestChange = { ...created(7), op: 'd' }
        await harness.publisher.publish(
          [created(7), comment, gone].map(testEvent).map(encodeChange),
        )
        const records = await harness.records(4)
        const valuesOf = (table: string) =>
          records
            .filter(({ topic }) => topic.endsWith(`.${table}`))
            .map(({ value }) => value && JSON.parse(value).op)
        expect(valuesOf('posts')).toEqual(['c', 'd', null])
        expect(valuesOf('comments')).toEqual(['c'])
        expect(new Set(records.map(({ key }) => key))).toEqual(new Set(['{"id":7}']))
      },
      TEST_MS,
    )

    test(
      'keeps the order between calls that do not wait for each other',
      async () => {
        await using harness = await create()
        const versions = Array.from({ length: 30 }, (_, n) => `v${n}`)
        await Promise.all(
          versions.map((text, n) =>
            harness.publisher.publish([
              encodeChange(testEvent({ table: 'posts', op: 'u', id: 1, text }, n)),
            ]),
          ),
        )
        const records = await harness.records(30)
        expect(records.map(({ value }) => JSON.parse(value ?? '').after.text)).toEqual(versions)
      },
      TEST_MS,
    )

    test(
      'takes more than one request can hold',
      async () => {
        await using harness = await create()
        const text = 'long '.repeat(1600)
        const events = Array.from({ length: 500 }, (_, id) =>
          testEvent({ table: 'posts', op: 'c', id, text: `${text}${Math.random()}` }, id),
        )
        await harness.publisher.publish(events.map(encodeChange))
        expect(new Set((await harness.records(500)).map(({ key }) => key)).size).toBe(500)
      },
      TEST_MS,
    )

    test(
      'takes nothing without complaint',
      async () => {
        await using harness = await create()
        await harness.publisher.publish([])
        expect(await harness.records(0)).toEqual([])
      },
      TEST_MS,
    )
  })
}
