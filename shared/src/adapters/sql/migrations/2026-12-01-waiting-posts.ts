import { type ColumnDataType, type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable, type DialectKind } from './table'

/** Up to when posts are delivered; frozen like every migration. */
export function waitingPosts(kind: DialectKind): Migration {
  const integer: ColumnDataType = kind === 'mysql' ? 'bigint' : 'integer'
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await createTable(
        db,
        kind,
      )({
        name: 'delivery_progress',
        columns: { id: integer, delivered_at: integer },
        primaryKey: ['id'],
      })
      // What was written before is delivered, or was late without anybody knowing.
      const begin = { mysql: sql`insert ignore`, sqlite: sql`insert or ignore` }[kind]
      await sql`${begin} into delivery_progress (id, delivered_at) values (1, ${Date.now()})`.execute(
        db,
      )
    },
  }
}
