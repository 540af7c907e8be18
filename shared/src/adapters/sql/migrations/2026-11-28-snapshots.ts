import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable, type DialectKind } from './table'

/** Snapshots of captured tables that were asked for, and how far they have come; frozen like every migration. */
export function snapshots(kind: DialectKind): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      if (kind === 'sqlite') return
      await createTable(
        db,
        kind,
      )({
        name: 'capture_snapshots',
        columns: {
          table_name: 'varchar(64)',
          request: 'bigint',
          state: 'varchar(16)',
          after_key: 'text',
          end_key: 'text',
          done_rows: 'bigint',
          total_rows: 'bigint',
          marks: 'bigint',
          problem: 'text',
          updated_at: 'bigint',
        },
        nullable: ['after_key', 'end_key', 'problem'],
        primaryKey: ['table_name'],
      })
    },
  }
}
