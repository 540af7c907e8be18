import { type CapturedTable, capturedTables, type TopicNames, topicName } from './tables'

/** The topics that capture writes, kept in its checkpoint: which ones, and how many partitions each has. */
export interface WrittenTopics {
  /** Grows by one when topics of another size take the place of those before; from 1 on. */
  readonly generation: number
  readonly partitions: Readonly<Record<CapturedTable, number>>
}

/** From the checkpoint's column. Throws where it is damaged. */
export function parseWrittenTopics(text: string): WrittenTopics {
  const written: unknown = JSON.parse(text)
  if (isWrittenTopics(written)) return written
  throw new Error('the topics in capture_checkpoint are damaged')
}

function isWrittenTopics(written: unknown): written is WrittenTopics {
  if (!isRecord(written) || !isCount(written.generation)) return false
  const { partitions } = written
  return isRecord(partitions) && capturedTables.every((table) => isCount(partitions[table]))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) > 0
}

/** What an operator reads where a topic has another size than the one that its records were placed by. */
export function otherSize(
  names: TopicNames,
  table: CapturedTable,
  { was, is }: { readonly was: number; readonly is: number },
): string {
  return (
    `the topic ${topicName(names, table)} has ${is} partitions and had ${was} when it was written: a row's next ` +
    'changes would go into another partition and lose their order. Stop every cdc-indexer, run "repartition", which ' +
    'makes topics with KAFKA_PARTITIONS partitions that hold the same records, and start them again'
  )
}
