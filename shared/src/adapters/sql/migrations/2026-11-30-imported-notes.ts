import { type ColumnDataType, type Expression, type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable, type DialectKind } from './table'

/** Which posts of archives were loaded; frozen like every migration. */
export function importedNotes(kind: DialectKind): Migration {
  const note: ColumnDataType | Expression<unknown> =
    kind === 'mysql' ? sql`char(64) character set ascii collate ascii_bin` : 'text'
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await createTable(
        db,
        kind,
      )({
        name: 'imported_notes',
        columns: { user_id: kind === 'mysql' ? 'bigint' : 'integer', note },
        primaryKey: ['user_id', 'note'],
      })
    },
  }
}
