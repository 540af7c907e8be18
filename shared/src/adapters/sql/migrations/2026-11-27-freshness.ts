import { type ColumnDataType, type Expression, type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable, type DialectKind } from './table'

/** Where processes agree on what they may believe; frozen like every migration. */
export function freshness(kind: DialectKind): Migration {
  const ascii = (length: number): ColumnDataType | Expression<unknown> =>
    sql.raw(`varchar(${length}) character set ascii collate ascii_bin`)
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      // One process has nobody to agree with.
      if (kind === 'sqlite') return
      const table = createTable(db, kind)
      await table({
        name: 'freshness_fence',
        columns: {
          id: 'bigint',
          generation: 'bigint',
          is_open: 'boolean',
          term: 'bigint',
          server: ascii(64),
        },
        primaryKey: ['id'],
      })
      await table({
        name: 'freshness_processes',
        columns: { process: ascii(64), server: ascii(64), seen_at: 'bigint' },
        nullable: ['server'],
        primaryKey: ['process'],
      })
      await sql`insert ignore into freshness_fence (id, generation, is_open, term, server)
        values (1, 0, false, 0, '')`.execute(db)
    },
  }
}
