import { type Expression, expressionBuilder, type Kysely, type SqlBool, sql } from 'kysely'
import type { Clock } from '../../domain/clock'
import type { CommentId, PostId, UserId } from '../../domain/id'
import { pageOf } from '../../domain/page'
import {
  compareKeys,
  NOTIFICATION_KINDS,
  type Notification,
  type NotificationKey,
  type NotificationKind,
  type NotificationStore,
} from '../../ports/notification-store'
import { deleteInChunks } from './bounded-delete'
import { type Queryable, traitsOf, transact } from './database'
import { notBlockedEitherWay, notMuted } from './feed-truth'
import { byIndex, IN_ORDER } from './index-hints'
import { forUpdate } from './locks'
import { createNotificationWrites, kindNumber } from './notification-writes'
import type { Database, NotificationsTable } from './schema'
import { toAuthor } from './user-row'

/** Notifications in SQL, each read joined with what it is about. */
export function createSqlNotificationStore(
  db: Kysely<Database>,
  deps: { readonly clock: Clock },
): NotificationStore {
  return {
    ...createNotificationWrites(db, deps),

    async list(recipient, { before, after, limit }) {
      const mark = await readMark(db, recipient)
      const rows = await selectShown(db, recipient, Math.max(FIRST, after?.noticedAt ?? FIRST))
        .$if(after !== undefined, (query) => query.where(isAbove(after as NotificationKey)))
        .$if(before !== null, (query) => query.where(isBelow(before as NotificationKey)))
        .orderBy('n.noticed_at', 'desc')
        .orderBy('n.kind', 'desc')
        .orderBy('n.actor_id', 'desc')
        .orderBy('n.subject_id', 'desc')
        .limit(limit + 1)
        .execute()
      return pageOf(rows, limit, keyOf, (row) => toNotification(row, mark))
    },

    async countUnread(recipient, limit) {
      const mark = await readMark(db, recipient)
      const unread = selectShown(db, recipient, mark?.noticedAt ?? FIRST)
        .clearSelect()
        .select('n.kind')
        .whereRef('n.noticed_at', '<>', 'n.at')
        .$if(mark !== null, (query) => query.where(isAbove(mark as NotificationKey)))
        .orderBy('n.noticed_at', 'desc')
        .limit(limit)
        .as('unread')
      const { count } = await db
        .selectFrom(unread)
        .select((each) => each.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      return Number(count)
    },

    async markRead(recipient, until) {
      return await transact(db, async (tx) => {
        const marks = tx
          .selectFrom('notification_marks')
          .selectAll()
          .where('user_id', '=', recipient)
        const mark = await forUpdate(tx, marks).executeTakeFirst()
        if (!mark) return false
        // The one that is marked may be pruned since.
        if (compareKeys(until, keyOf(mark)) === 0) return true
        if (!(await wasGiven(tx, recipient, until))) return false
        if (compareKeys(until, keyOf(mark)) <= 0) return true
        await tx
          .updateTable('notification_marks')
          .set({
            noticed_at: until.noticedAt,
            kind: until.kind,
            actor_id: until.actor,
            subject_id: until.subject,
          })
          .where('user_id', '=', recipient)
          .execute()
        return true
      })
    },

    prune: (before) =>
      deleteInChunks(db, {
        table: 'notifications',
        primaryKey: ['recipient_id', 'kind', 'actor_id', 'subject_id'],
        where: sql`noticed_at < ${before} and noticed_at > ${-before}`,
        index: 'notifications_age',
      }),
  }
}

const eb = expressionBuilder<Database & { n: NotificationsTable }, 'n'>()

async function readMark(db: Queryable, user: UserId): Promise<NotificationKey | null> {
  const row = await db
    .selectFrom('notification_marks')
    .selectAll()
    .where('user_id', '=', user)
    .executeTakeFirst()
  return row ? keyOf(row) : null
}

/** Withdrawn ones stand below zero, where nobody looks. */
const FIRST = 1

/**
 * What may be shown to the recipient, as it is now, down to the place `from`: row by row down the index of the list,
 * whatever the statistics say, with look-ups by primary key for each.
 */
function selectShown(db: Queryable, recipient: UserId, from: number) {
  // SQLite chooses the primary key by itself.
  const listed =
    traitsOf(db).kind === 'mysql'
      ? byIndex('notifications', 'notifications_list', 'n')
      : sql<NotificationsTable>`notifications`.as<'n'>(sql`n indexed by notifications_list`)
  return db
    .selectFrom(listed)
    .modifyFront(IN_ORDER)
    .crossJoin(byIndex('users', 'PRIMARY'))
    .leftJoin(byIndex('posts', 'PRIMARY'), 'posts.id', 'n.post_id')
    .leftJoin(byIndex('comments', 'PRIMARY'), (join) =>
      join.onRef('comments.id', '=', 'n.subject_id').onRef('n.subject_id', '<>', 'n.post_id'),
    )
    .select(['n.kind', 'n.actor_id', 'n.subject_id', 'n.post_id', 'n.at', 'n.noticed_at'])
    .select(['users.username', 'users.display_name'])
    .select(['posts.text as post_text', 'comments.text as comment_text'])
    .where('n.recipient_id', '=', recipient)
    .where('n.noticed_at', '>=', from)
    .whereRef('users.id', '=', 'n.actor_id')
    .where(notBlockedEitherWay(recipient, sql.ref('n.actor_id')))
    .where(notMuted(recipient, sql.ref('n.actor_id')))
    .where(isStillSo(recipient))
}

/**
 * The follow, the like or the comment is there; and the post, by somebody whom no block hides. The look-ups
 * are by primary key.
 */
function isStillSo(recipient: UserId): Expression<SqlBool> {
  const follow = sql<SqlBool>`exists (select 1 from follows f
    where f.follower_id = n.actor_id and f.followee_id = ${recipient})`
  const like = sql<SqlBool>`exists (select 1 from likes l
    where l.user_id = n.actor_id and l.post_id = n.post_id)`
  const post = sql<SqlBool>`posts.id is not null`
  const inComment = sql<SqlBool>`comments.id is not null`
  const inPost = sql<SqlBool>`n.subject_id = n.post_id`
  const isKind = (kind: NotificationKind) => eb('n.kind', '=', kindNumber(kind))
  return eb.or([
    eb.and([isKind('follow'), follow]),
    eb.and([
      post,
      notBlockedEitherWay(recipient, sql.ref('posts.author_id')),
      eb.or([
        eb.and([isKind('like'), like]),
        eb.and([isKind('comment'), inComment]),
        eb.and([isKind('mention'), eb.or([inPost, inComment])]),
      ]),
    ]),
  ])
}

/** Rows below a place in the list: the first part lets the index begin there. */
function isBelow(key: NotificationKey): Expression<SqlBool> {
  return eb.and([
    eb('n.noticed_at', '<=', key.noticedAt),
    sql<SqlBool>`
    (n.noticed_at, n.kind, n.actor_id, n.subject_id)
      < (${key.noticedAt}, ${key.kind}, ${key.actor}, ${key.subject})`,
  ])
}

function isAbove(key: NotificationKey): Expression<SqlBool> {
  return sql<SqlBool>`(n.noticed_at, n.kind, n.actor_id, n.subject_id)
    > (${key.noticedAt}, ${key.kind}, ${key.actor}, ${key.subject})`
}

type KeyRow = Pick<NotificationsTable, 'noticed_at' | 'kind' | 'actor_id' | 'subject_id'>

function keyOf({ noticed_at, kind, actor_id, subject_id }: KeyRow): NotificationKey {
  return { noticedAt: noticed_at, kind, actor: actor_id, subject: subject_id }
}

interface ShownRow extends Omit<NotificationsTable, 'recipient_id'> {
  readonly username: string
  readonly display_name: string
  readonly post_text: string | null
  readonly comment_text: string | null
}

function toNotification(row: ShownRow, mark: NotificationKey | null): Notification {
  const key = keyOf(row)
  const { username, display_name, subject_id, post_id } = row
  const isOfComment = post_id !== 0 && subject_id !== post_id
  return {
    key,
    kind: NOTIFICATION_KINDS[row.kind] ?? 'follow',
    actor: toAuthor({ author_id: row.actor_id, username, display_name }),
    postId: post_id === 0 ? null : (post_id as PostId),
    commentId: isOfComment ? (subject_id as CommentId) : null,
    text: isOfComment ? row.comment_text : row.post_text,
    at: row.at,
    isRead: row.noticed_at === row.at || (mark !== null && compareKeys(key, mark) <= 0),
  }
}

/** Whether one stands there, or did: withdrawn since, or news again and higher up. */
async function wasGiven(
  tx: Queryable,
  recipient: UserId,
  { noticedAt, kind, actor, subject }: NotificationKey,
): Promise<boolean> {
  const row = await tx
    .selectFrom('notifications')
    .select('noticed_at')
    .where('recipient_id', '=', recipient)
    .where('kind', '=', kind)
    .where('actor_id', '=', actor)
    .where('subject_id', '=', subject)
    .executeTakeFirst()
  return row !== undefined && noticedAt >= FIRST && noticedAt <= Math.abs(row.noticed_at)
}
