import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { addColumn, type DialectKind } from './table'

/** The comment that an idempotency key made; frozen like every migration. */
export function keyedComments(kind: DialectKind): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const type = kind === 'mysql' ? 'bigint' : 'integer'
      await addColumn(db, kind)('idempotency_keys', 'comment_id', type)
    },
  }
}
