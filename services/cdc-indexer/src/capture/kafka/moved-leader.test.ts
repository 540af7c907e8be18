import { expect, test } from 'bun:test'
import { encodeChange } from '@sns/shared/events/change-record'
import { topicName } from '@sns/shared/events/tables'
import { created } from '@sns/shared/testing/change-log-harness'
import { testEvent, testKafkaClient } from '@sns/shared/testing/kafka-log'
import { openScriptedKafka, type ProduceVerdict } from '@sns/shared/testing/scripted-kafka'
import { createKafkaChangePublisher } from './change-publisher'

const ROWS = 60

/** Each partition's leader at first, and what happens to one of them in the midst of a request to all. */
const MOVES: readonly {
  readonly name: string
  readonly leaders: readonly (0 | 1)[]
  readonly moved: number
  readonly to: 0 | 1
  readonly by: ProduceVerdict
}[] = [
  { name: 'one that refused', leaders: [0, 1], moved: 1, to: 0, by: 'refuse' },
  { name: 'one that hung up', leaders: [0, 1], moved: 1, to: 0, by: 'hang-up' },
  { name: 'one of several', leaders: [0, 1, 1], moved: 1, to: 0, by: 'refuse' },
  { name: 'to the one that answers first', leaders: [1, 0, 1, 0], moved: 3, to: 1, by: 'refuse' },
]

for (const { name, leaders, moved, to, by } of MOVES) {
  test(`a partition that moves to a leader which has answered is not left out: ${name}`, async () => {
    const names = { prefix: 'moved', database: 'sns' }
    let refusals = 0
    await using kafka = await openScriptedKafka({
      topic: topicName(names, 'posts'),
      leaders,
      onProduce(partition, script) {
        if (partition !== moved || refusals === 2) return 'append'
        refusals += 1
        // By the second time the other leader's answer is known.
        if (refusals === 2) script.lead(moved, to)
        return by
      },
    })
    await using publisher = createKafkaChangePublisher(testKafkaClient(kafka.brokers), names)
    const changes = Array.from({ length: ROWS }, (_, at) =>
      encodeChange(testEvent(created(at + 1), at + 1)),
    )
    // As capture does: the same again after each failure.
    let attempts = 0
    for (let isPublished = false; !isPublished; attempts += 1) {
      isPublished = await publisher.publish(changes).then(
        () => true,
        () => false,
      )
    }
    expect(refusals).toBe(2)
    expect(kafka.committed().reduce((sum, count) => sum + count, 0)).toBe(ROWS)
    expect(attempts).toBeLessThanOrEqual(2)
  })
}
