import { createKafkaConnection, type KafkaClient } from '@sns/shared/adapters/kafka/client'
import { bySizeOf, readTopicSizes } from '@sns/shared/adapters/kafka/topic-sizes'
import { migrateTopics } from '@sns/shared/adapters/kafka/topics'
import { retry } from '@sns/shared/async/retry'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import { capturedTables, type TopicNames, topicName } from '@sns/shared/events/tables'
import type { Admin } from 'kafkajs'
import type { CaptureLease, CheckpointStore } from '../ports/checkpoint-store'
import { transactionalId } from './change-publisher'
import { copyTopics } from './topic-copy'

export interface RepartitionDeps {
  readonly client: KafkaClient
  readonly checkpoints: Pick<CheckpointStore, 'acquire' | 'isLatest' | 'topics' | 'noteTopics'>
}

export interface RepartitionOptions extends Pick<TopicNames, 'prefix' | 'database'> {
  readonly partitions: number
  readonly replication: number
  readonly signal: AbortSignal
  readonly onProgress: (step: RepartitionStep, done: number, total: number) => void
}

/** In their order. */
export type RepartitionStep = 'make' | 'copy' | 'note' | 'remove'

/** A capture that a supervisor starts again and again holds the lock for moments. */
const LOCK_MS = 10_000
const GONE_MS = 30_000

/**
 * Has capture write topics of another size: makes those of the next generation, copies all records into them, notes them
 * in the checkpoint, which is the one step that counts, and deletes those of before. Capture and consumers find the
 * topics by what is noted. Cut off anywhere, it is run again: what was not noted is made anew, what was is kept. False
 * where the topics have that size.
 *
 * Errors: `OperatorError` where a capture runs; `store_unavailable`.
 */
export async function repartition(
  { client, checkpoints }: RepartitionDeps,
  { prefix, database, partitions, replication, signal, onProgress }: RepartitionOptions,
): Promise<boolean> {
  await using lease = await acquire(checkpoints)
  await using connection = createKafkaConnection(client, (kafka) => kafka.admin())
  const ask = <R>(question: (admin: Admin) => Promise<R>) =>
    connection.run(question, GONE_MS + 5_000)
  const named = (generation: number): Required<TopicNames> => ({ prefix, database, generation })

  const noted = await checkpoints.topics(lease)
  const current = named(noted?.generation ?? 1)
  const next = named(current.generation + 1)
  if (current.generation > 1) await remove(current.generation - 1)
  const found = await ask((admin) => readTopicSizes(admin, current))
  const isOfSize = capturedTables.every(
    (table) =>
      found[table] === partitions && (noted?.partitions[table] ?? partitions) === partitions,
  )
  if (isOfSize) return false
  if (capturedTables.some((table) => found[table] === 0)) {
    throw new OperatorError('a topic is missing: run migrate')
  }
  onProgress('make', 0, 1)
  // Of a run that was cut off: nobody has read them.
  await ask((admin) => deleteTopics(admin, namesOf(next)))
  await migrateTopics(client, { ...next, partitions, replication })
  onProgress('copy', 0, 1)
  await copyTopics(client, {
    topics: new Map(
      capturedTables.map((table) => [topicName(current, table), topicName(next, table)]),
    ),
    transactionalId: transactionalId(current),
    mayCopy: () => checkpoints.isLatest(lease),
    onProgress: (done, total) => onProgress('copy', done, total),
    signal,
  })
  onProgress('note', 0, 1)
  const { generation } = next
  if (
    !(await checkpoints.noteTopics(lease, { generation, partitions: bySizeOf(() => partitions) }))
  ) {
    throw storeUnavailable('mysql', new Error('a capture has begun meanwhile'))
  }
  onProgress('remove', 0, 1)
  await remove(current.generation)
  return true

  async function remove(generation: number) {
    await ask((admin) => deleteTopics(admin, namesOf(named(generation))))
  }
}

function namesOf(names: TopicNames): readonly string[] {
  return capturedTables.map((table) => topicName(names, table))
}

async function acquire(checkpoints: Pick<CheckpointStore, 'acquire'>): Promise<CaptureLease> {
  const deadline = performance.now() + LOCK_MS
  return await retry(
    async () => {
      const lease = await checkpoints.acquire()
      if (lease) return lease
      throw new OperatorError('a cdc-indexer captures: stop all of them first')
    },
    {
      baseMs: 200,
      capMs: 1_000,
      isTransient: (error) => error instanceof OperatorError && performance.now() < deadline,
    },
  )
}

/** Those that exist; resolves when they are gone. */
async function deleteTopics(admin: Admin, topics: readonly string[]): Promise<void> {
  const deadline = performance.now() + GONE_MS
  const existing = async () => {
    const all = new Set(await admin.listTopics())
    return topics.filter((topic) => all.has(topic))
  }
  const old = await existing()
  if (old.length === 0) return
  await admin.deleteTopics({ topics: old })
  await retry(
    async () => {
      if ((await existing()).length > 0) throw new Error('topics that were deleted are still there')
    },
    { baseMs: 100, capMs: 500, isTransient: () => performance.now() < deadline },
  )
}
