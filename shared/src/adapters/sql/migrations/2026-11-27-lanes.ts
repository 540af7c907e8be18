import type { ColumnDataType, Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable, type DialectKind } from './table'

/** Authors whose posts are merged into feeds at read; frozen like every migration. */
export function lanes(kind: DialectKind): Migration {
  const integer: ColumnDataType = kind === 'mysql' ? 'bigint' : 'integer'
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await createTable(
        db,
        kind,
      )({
        name: 'merged_authors',
        columns: { author_id: integer, is_pushed: integer, crossing: integer },
        primaryKey: ['author_id'],
      })
    },
  }
}
