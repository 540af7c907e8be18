import { type Expression, expressionBuilder, type Kysely, type SqlBool, sql } from 'kysely'
import type { CommentId, PostId, UserId } from '../../domain/id'
import { pageOf } from '../../domain/page'
import {
  compareKeys,
  type NewNotification,
  NOTIFICATION_KINDS,
  type Notification,
  type NotificationKey,
  type NotificationKind,
  type NotificationStore,
  type RemovedNotification,
} from '../../ports/notification-store'
import { type Queryable, transact } from './database'
import { notBlockedEitherWay, notMuted } from './feed-truth'
import { insertAbsent, insertIfAbsent } from './inserts'
import type { Database, NotificationsTable } from './schema'
import { toAuthor } from './user-row'

/** Notifications in SQL, each read joined with what it is about. */
export function createSqlNotificationStore(db: Kysely<Database>): NotificationStore {
  return {
    add: (notifications) => add(db, notifications),

    async remove(removed) {
      await transact(db, async (tx) => {
        for (const each of removed) await removeFrom(tx, each).execute()
      })
    },

    async list(recipient, { before, limit }) {
      const mark = await readMark(db, recipient)
      const rows = await selectShown(db, recipient)
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
      const unread = selectShown(db, recipient)
        .whereRef('n.noticed_at', '<>', 'n.at')
        .$if(mark !== null, (query) => query.where(eb.not(isUpTo(mark as NotificationKey))))
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
        if (!(await isTheirs(tx, recipient, until))) return false
        const row = {
          user_id: recipient,
          noticed_at: until.noticedAt,
          kind: until.kind,
          actor_id: until.actor,
          subject_id: until.subject,
        }
        if (await insertIfAbsent(tx, 'notification_marks', row)) return true
        const mark = await readMark(tx, recipient)
        if (mark !== null && compareKeys(until, mark) <= 0) return true
        await tx
          .updateTable('notification_marks')
          .set(row)
          .where('user_id', '=', recipient)
          .execute()
        return true
      })
    },

    async prune(before) {
      await db.deleteFrom('notifications').where('noticed_at', '<', before).execute()
    },
  }
}

const eb = expressionBuilder<Database & { n: NotificationsTable }, 'n'>()

async function add(
  db: Kysely<Database>,
  notifications: readonly NewNotification[],
): Promise<readonly UserId[]> {
  const others = notifications.filter(({ recipient, actor }) => recipient !== actor)
  if (others.length === 0) return []
  const ids = [...new Set(others.flatMap(({ recipient, actor }) => [recipient, actor]))]
  const accounts = await db
    .selectFrom('accounts')
    .select('user_id')
    .where('user_id', 'in', ids)
    .execute()
  const live = new Set(accounts.map((row) => row.user_id))
  const rows = others.filter(({ recipient, actor }) => live.has(recipient) && live.has(actor))
  if (rows.length === 0) return []
  const added = await insertAbsent(db, 'notifications', rows.map(toRow))
  return added === 0 ? [] : [...new Set(rows.map(({ recipient }) => recipient))]
}

function removeFrom(db: Queryable, { kind, actor, subject, recipient }: RemovedNotification) {
  return db
    .deleteFrom('notifications')
    .where('subject_id', '=', subject)
    .where('actor_id', '=', actor)
    .where('kind', '=', kindNumber(kind))
    .$if(recipient !== null, (query) => query.where('recipient_id', '=', recipient as UserId))
}

async function readMark(db: Queryable, user: UserId): Promise<NotificationKey | null> {
  const row = await db
    .selectFrom('notification_marks')
    .selectAll()
    .where('user_id', '=', user)
    .executeTakeFirst()
  return row ? keyOf(row) : null
}

/** What may be shown to the recipient, as it is now. */
function selectShown(db: Queryable, recipient: UserId) {
  return db
    .selectFrom('notifications as n')
    .innerJoin('users', 'users.id', 'n.actor_id')
    .leftJoin('posts', 'posts.id', 'n.post_id')
    .leftJoin('comments', (join) =>
      join.onRef('comments.id', '=', 'n.subject_id').onRef('n.subject_id', '<>', 'n.post_id'),
    )
    .select(['n.kind', 'n.actor_id', 'n.subject_id', 'n.post_id', 'n.at', 'n.noticed_at'])
    .select(['users.username', 'users.display_name'])
    .select(['posts.text as post_text', 'comments.text as comment_text'])
    .where('n.recipient_id', '=', recipient)
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

function isUpTo(key: NotificationKey): Expression<SqlBool> {
  return sql<SqlBool>`(n.noticed_at, n.kind, n.actor_id, n.subject_id)
    <= (${key.noticedAt}, ${key.kind}, ${key.actor}, ${key.subject})`
}

function kindNumber(kind: NotificationKind): number {
  return NOTIFICATION_KINDS.indexOf(kind)
}

function toRow(each: NewNotification): NotificationsTable {
  return {
    recipient_id: each.recipient,
    kind: kindNumber(each.kind),
    actor_id: each.actor,
    subject_id: each.subject,
    post_id: each.post,
    at: each.at,
    noticed_at: each.noticedAt,
  }
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

/** Whether the key is of a notification that somebody has, or the one that they marked last, which may be gone since. */
async function isTheirs(
  tx: Queryable,
  recipient: UserId,
  { noticedAt, kind, actor, subject }: NotificationKey,
): Promise<boolean> {
  const found = await tx
    .selectFrom('notifications')
    .select('recipient_id')
    .where('recipient_id', '=', recipient)
    .where('kind', '=', kind)
    .where('actor_id', '=', actor)
    .where('subject_id', '=', subject)
    .where('noticed_at', '=', noticedAt)
    .executeTakeFirst()
  if (found !== undefined) return true
  const marked = await tx
    .selectFrom('notification_marks')
    .select('user_id')
    .where('user_id', '=', recipient)
    .where('kind', '=', kind)
    .where('actor_id', '=', actor)
    .where('subject_id', '=', subject)
    .where('noticed_at', '=', noticedAt)
    .executeTakeFirst()
  return marked !== undefined
}
