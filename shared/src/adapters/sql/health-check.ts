import { type Kysely, sql } from 'kysely'
import type { HealthCheck } from '../../ports/health'
import { traitsOf } from './dialect'
import type { Database } from './schema'

/** Whether the database answers the smallest question. */
export function createSqlHealthCheck(db: Kysely<Database>): HealthCheck {
  return {
    name: traitsOf(db).kind,
    async check() {
      await sql`select 1`.execute(db)
    },
  }
}
