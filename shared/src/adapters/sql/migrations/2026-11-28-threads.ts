import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { addColumn, type DialectKind } from './table'

/** How many comments an import has loaded; frozen like every migration. */
export function threads(kind: DialectKind): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const type = kind === 'mysql' ? 'bigint' : 'integer'
      await addColumn(db, kind)('imports', 'comments_done', type, sql`not null default 0`)
    },
  }
}
