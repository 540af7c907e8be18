import type { Admin } from 'kafkajs'
import { OperatorError } from '../../errors/operator-error'
import { type CapturedTable, capturedTables, type TopicNames, topicName } from '../../events/tables'
import { otherSize, type WrittenTopics } from '../../events/written-topics'

export type TopicSizes = WrittenTopics['partitions']

/** How many partitions each topic has; none where it is missing. */
export async function readTopicSizes(
  admin: Pick<Admin, 'fetchTopicMetadata' | 'listTopics'>,
  names: TopicNames,
): Promise<TopicSizes> {
  const existing = new Set(await admin.listTopics())
  const topics = capturedTables
    .map((table) => topicName(names, table))
    .filter((topic) => existing.has(topic))
  if (topics.length === 0) return bySizeOf(() => 0)
  const metadata = await admin.fetchTopicMetadata({ topics })
  const sizes = new Map(metadata.topics.map(({ name, partitions }) => [name, partitions.length]))
  return bySizeOf((table) => sizes.get(topicName(names, table)) ?? 0)
}

/** Throws an `OperatorError` for the first topic that has another size than noted; one that is missing holds nothing. */
export function requireSizes(names: TopicNames, noted: TopicSizes, found: TopicSizes): void {
  for (const table of capturedTables) {
    const [was, is] = [noted[table], found[table]]
    if (is > 0 && was !== is) throw new OperatorError(otherSize(names, table, { was, is }))
  }
}

export function bySizeOf(sizeOf: (table: CapturedTable) => number): TopicSizes {
  return Object.fromEntries(capturedTables.map((table) => [table, sizeOf(table)])) as Record<
    CapturedTable,
    number
  >
}
