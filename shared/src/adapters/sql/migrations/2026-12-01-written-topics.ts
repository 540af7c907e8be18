import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { addColumn, type DialectKind } from './table'

/** Which topics capture writes, and how many partitions they have; null until that is noted. Frozen like every migration. */
export function writtenTopics(kind: DialectKind): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      if (kind === 'sqlite') return
      await addColumn(db, kind)('capture_checkpoint', 'topics', 'text', sql`null`)
    },
  }
}
