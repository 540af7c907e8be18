import type { CapturedTable } from './tables'

/** What tells the topics of one deployment from others'. */
export interface TopicNames {
  readonly prefix: string
  readonly database: string
}

/** The topic of a table's changes. */
export function topicName({ prefix, database }: TopicNames, table: CapturedTable): string {
  return `${prefix}.${database}.${table}`
}

/** The most that one request may bring for one partition: `max.message.bytes` of every topic. */
export const TOPIC_MESSAGE_BYTES = 2 * 1024 * 1024
