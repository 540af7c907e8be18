import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { addColumn, type DialectKind } from './table'

/**
 * How capture counts the transactions of all servers that ever wrote the log; null until a checkpoint is saved. What
 * proves the log is the time of the first commit from now on, which for a replicated transaction is another than the
 * one that was kept. Frozen like every migration.
 */
export function sourceEpochs(kind: DialectKind): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      if (kind === 'sqlite') return
      const add = addColumn(db, kind)
      await add('capture_checkpoint', 'epochs', 'text', sql`null`)
      await sql`update capture_checkpoint set last_gtid = null, last_committed_at = null
        where last_gtid not like concat(server_id, ':%')`.execute(db)
    },
  }
}
