import type { ColumnDataType, Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable, type DialectKind } from './table'

/** Which deletions of accounts go on; frozen like every migration. */
export function accountDeletions(kind: DialectKind): Migration {
  const integer: ColumnDataType = kind === 'mysql' ? 'bigint' : 'integer'
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await createTable(
        db,
        kind,
      )({
        name: 'account_deletions',
        columns: { user_id: integer, started_at: integer },
        primaryKey: ['user_id'],
      })
    },
  }
}
