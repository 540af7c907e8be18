import type { Settings } from '../config/settings'

/**
 * The groups that read the change log. Suites that share a Kafka and differ in prefix or database read
 * other topics, so they must not share a group.
 */
export function consumerGroups({
  keyPrefix,
  database,
}: Pick<Settings, 'keyPrefix' | 'database'>): ConsumerGroups {
  const prefix = database.kind === 'mysql' ? `${keyPrefix}.${database.database}` : keyPrefix
  return {
    fanout: `${prefix}.fanout`,
    index: `${prefix}.index`,
    announce: `${prefix}.announce`,
  }
}

export interface ConsumerGroups {
  readonly fanout: string
  readonly index: string
  readonly announce: string
}
