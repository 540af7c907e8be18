/**
 * The real servers that tests may use, from `TEST_…`; null where there is none. Tests make their own
 * database, key prefix, topics and index there and remove them.
 */
export const testServers = {
  mysql: process.env.TEST_DATABASE_URL || null,
  redis: process.env.TEST_REDIS_URL || null,
  kafka: process.env.TEST_KAFKA_BROKERS || null,
  elasticsearch: process.env.TEST_ES_URL || null,
} as const

export const hasAllTestServers = Object.values(testServers).every((server) => server !== null)

/** A unique lower-case name for a database, prefix or index. */
export function uniqueName(kind: string): string {
  return `t_${kind}_${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`
}
