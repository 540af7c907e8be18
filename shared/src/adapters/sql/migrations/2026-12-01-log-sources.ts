import { type ColumnDataType, type Expression, type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable, type DialectKind } from './table'

/**
 * Who wrote the transactions of records that came without a sequence, and from where those are counted; frozen like every
 * migration.
 */
export function logSources(kind: DialectKind): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      if (kind === 'sqlite') return
      const source: ColumnDataType | Expression<unknown> =
        sql`varchar(80) character set ascii collate ascii_bin`
      await createTable(
        db,
        kind,
      )({
        name: 'log_sources',
        columns: { source, sequence: 'bigint', updated_at: 'bigint' },
        primaryKey: ['source'],
      })
    },
  }
}
