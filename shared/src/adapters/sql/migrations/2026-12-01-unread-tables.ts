import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { addColumn, type DialectKind } from './table'

/**
 * The GTID set up to which a snapshot stands for what capture could not read of its table; null: it was asked for without
 * such a need. Frozen like every migration.
 */
export function unreadTables(kind: DialectKind): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      if (kind === 'sqlite') return
      await addColumn(db, kind)('capture_snapshots', 'covers', 'text', sql`null`)
    },
  }
}
