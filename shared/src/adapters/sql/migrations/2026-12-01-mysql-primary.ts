import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { DialectKind } from './table'

/** The server of MySQL that the fence is of, and since when; frozen like every migration. */
export function mysqlPrimary(kind: DialectKind): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      if (kind === 'sqlite') return
      const { rows } = await sql`select 1 from information_schema.columns
        where table_schema = database() and table_name = 'freshness_fence'
          and column_name = 'primary_server'`.execute(db)
      // It was cut off after the one statement that it is, before that was noted.
      if (rows.length > 0) return
      await sql`alter table freshness_fence
        add column primary_server varchar(64) character set ascii collate ascii_bin not null default '',
        add column primary_since bigint not null default 0`.execute(db)
    },
  }
}
