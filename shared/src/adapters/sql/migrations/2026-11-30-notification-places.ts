import { type ColumnDataType, type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { addColumn, type DialectKind } from './table'

/**
 * Beside what somebody has read stands the highest place that they were given a notification at, so that whoever
 * gives out places takes turns on one row; frozen like every migration.
 */
export function notificationPlaces(kind: DialectKind): Migration {
  const integer: ColumnDataType = kind === 'mysql' ? 'bigint' : 'integer'
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await addColumn(db, kind)('notification_marks', 'newest', integer, sql`not null default 0`)
      const given = sql`insert into notification_marks
          (user_id, noticed_at, kind, actor_id, subject_id, newest)
        select recipient_id, 0, 0, 0, 0, max(noticed_at) from notifications where true
        group by recipient_id`
      await (kind === 'mysql'
        ? sql`${given} on duplicate key update newest = values(newest)`
        : sql`${given} on conflict do update set newest = excluded.newest`
      ).execute(db)
      // What was marked and is gone, or never was: everything up to the newest is read.
      const max = sql.lit(Number.MAX_SAFE_INTEGER)
      await sql`update notification_marks
        set noticed_at = newest, kind = ${max}, actor_id = ${max}, subject_id = ${max}
        where noticed_at > newest`.execute(db)
    },
  }
}
