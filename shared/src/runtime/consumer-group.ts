import type { Settings } from '../config/settings'

/**
 * What the names of a suite's consumer groups begin with: suites that share a Kafka and differ in prefix
 * or database read other topics, so they must not share a group.
 */
export function consumerGroupPrefix({
  keyPrefix,
  database,
}: Pick<Settings, 'keyPrefix' | 'database'>): string {
  return database.kind === 'mysql' ? `${keyPrefix}.${database.database}` : keyPrefix
}
