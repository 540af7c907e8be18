import { type ColumnDataType, type Expression, type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { addIndex, createTable, type DialectKind, dropIndex } from './table'

/** Hashtags and notifications, which are made from the change log; frozen like every migration. */
export function tagsAndNotifications(kind: DialectKind): Migration {
  const integer: ColumnDataType = kind === 'mysql' ? 'bigint' : 'integer'
  const tag: ColumnDataType | Expression<unknown> =
    kind === 'mysql' ? sql`varchar(100) character set utf8mb4 collate utf8mb4_bin` : 'text'
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const table = createTable(db, kind)
      await table({
        name: 'notifications',
        columns: {
          recipient_id: integer,
          kind: integer,
          actor_id: integer,
          subject_id: integer,
          post_id: integer,
          at: integer,
          noticed_at: integer,
        },
        // Once for each thing that somebody did, however often the log tells of it.
        primaryKey: ['recipient_id', 'kind', 'actor_id', 'subject_id'],
        indexes: {
          notifications_list: ['recipient_id', 'noticed_at', 'kind', 'actor_id', 'subject_id'],
          notifications_subject: ['subject_id', 'actor_id'],
          notifications_age: ['noticed_at'],
        },
      })
      await table({
        name: 'notification_marks',
        columns: {
          user_id: integer,
          noticed_at: integer,
          kind: integer,
          actor_id: integer,
          subject_id: integer,
        },
        primaryKey: ['user_id'],
      })
      await table({
        name: 'post_tags',
        columns: { tag, post_id: integer },
        primaryKey: ['tag', 'post_id'],
        indexes: { post_tags_post: ['post_id'] },
      })
      // Who liked a post is listed latest first; the index that this one replaces knew no time.
      await addIndex(db, kind)('likes', 'likes_post_time', ['post_id', 'created_at', 'user_id'])
      await dropIndex(db, kind)('likes', 'likes_post')
    },
  }
}
