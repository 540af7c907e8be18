import { describe, expect, test } from 'bun:test'
import type { ChangeEvent } from '../../events/change-event'
import { decodeChange } from '../../events/change-record'
import { type DeadLetter, letterId } from '../../ports/dead-letters'
import { created } from '../../testing/change-log-harness'
import { openKafkaTestLog, testEvent } from '../../testing/kafka-log'
import { testServers } from '../../testing/servers'
import { createKafkaDeadLetters, requestsOf } from './dead-letters'

function letter(id: number, text: string, attempts = 1): DeadLetter {
  const change: ChangeEvent = decodeChange(
    'posts',
    JSON.stringify(testEvent(created(id, text), id)),
  )
  return { change, stage: 'index', reason: 'too odd', attempts, at: 5 }
}

test('records are cut into requests that the topic takes', () => {
  const record = (key: string, bytes: number) => ({ key, value: 'x'.repeat(bytes) })
  const records = [
    record('a', 600_000),
    record('b', 600_000),
    record('c', 2_000_000),
    record('d', 9),
  ]
  expect(requestsOf(records).map((some) => some.map(({ key }) => key))).toEqual([
    ['a'],
    ['b'],
    ['c'],
    ['d'],
  ])
  expect(requestsOf(records.slice(2).map(({ key }) => ({ key, value: null })))).toHaveLength(1)
  expect(requestsOf([])).toEqual([])
})

describe.skipIf(!testServers.kafka)('dead letters on Kafka', () => {
  test('are kept in the order in which they came, once, and go when they are removed', async () => {
    await using log = await openKafkaTestLog()
    await using letters = createKafkaDeadLetters(log.client, log.names)
    expect(await letters.all()).toEqual([])
    const [one, two, three] = [letter(1, 'one'), letter(2, 'two'), letter(3, 'three')]
    await letters.add([one, two, three])
    await letters.add([{ ...one, attempts: 2 }])
    expect(await letters.all()).toEqual([{ ...one, attempts: 2 }, two, three])
    await letters.remove([two])
    const left = (await letters.all()).map(letterId)
    expect(left).toEqual([letterId(one), letterId(three)])
  }, 60_000)

  test('may together be larger than a message', async () => {
    await using log = await openKafkaTestLog()
    await using letters = createKafkaDeadLetters(log.client, log.names)
    // Nothing that packs well.
    const noise = () =>
      Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString('base64')
    const many = Array.from({ length: 50 }, (_, n) => letter(n + 1, noise()))
    await letters.add(many)
    expect((await letters.all()).map(letterId)).toEqual(many.map(letterId))
  }, 60_000)
})
