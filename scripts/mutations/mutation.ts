/** A mistake that somebody could make, and the tests that must notice. */
export interface Mutation {
  readonly name: string
  readonly file: string
  /** Stands once in the file. */
  readonly find: string
  readonly replace: string
  readonly tests: readonly string[]
  /** Noticed on a real server only: the setting of the tests that names it. */
  readonly needs?:
    | 'TEST_REDIS_URL'
    | 'TEST_KAFKA_BROKERS'
    | 'TEST_DATABASE_URL'
    | 'TEST_ES_URL'
    | 'TEST_MYSQL_PAIR'
}
