import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { addColumn, type DialectKind } from './table'

/**
 * The last transaction that capture passed, and when it was committed (Unix microseconds): how capture knows
 * that the binlog it finds is the one that it left. Null until a checkpoint is saved. Frozen like every
 * migration.
 */
export function captureProof(kind: DialectKind): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      if (kind === 'sqlite') return
      const add = addColumn(db, kind)
      await add('capture_checkpoint', 'last_gtid', 'varchar(128)', sql`null`)
      await add('capture_checkpoint', 'last_committed_at', 'bigint', sql`null`)
    },
  }
}
