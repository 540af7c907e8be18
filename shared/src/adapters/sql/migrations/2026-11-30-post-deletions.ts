import type { ColumnDataType, Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable, type DialectKind } from './table'

/** Of which deleted posts likes and comments are left; frozen like every migration. */
export function postDeletions(kind: DialectKind): Migration {
  const integer: ColumnDataType = kind === 'mysql' ? 'bigint' : 'integer'
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await createTable(
        db,
        kind,
      )({
        name: 'post_deletions',
        columns: { post_id: integer },
        primaryKey: ['post_id'],
      })
    },
  }
}
