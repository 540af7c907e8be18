import { type ColumnDataType, type Expression, type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable, type DialectKind } from './table'

/** Where each import stands; frozen like every migration. */
export function imports(kind: DialectKind): Migration {
  const integer: ColumnDataType = kind === 'mysql' ? 'bigint' : 'integer'
  const hash: ColumnDataType | Expression<unknown> =
    kind === 'mysql' ? sql`char(64) character set ascii collate ascii_bin` : 'text'
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await createTable(
        db,
        kind,
      )({
        name: 'imports',
        columns: {
          source: hash,
          started_at: integer,
          users_done: integer,
          follows_done: integer,
          posts_done: integer,
          updated_at: integer,
        },
        primaryKey: ['source'],
      })
    },
  }
}
