import { type Kysely, sql, type Transaction } from 'kysely'
import type { Clock } from '../../domain/clock'
import type { UserId } from '../../domain/id'
import {
  NEWS_AGAIN_MS,
  type NewNotification,
  NOTIFICATION_KINDS,
  type NotificationKind,
  type NotificationStore,
} from '../../ports/notification-store'
import { chunks } from '../chunks'
import { transact } from './database'
import { byIndex } from './index-hints'
import { insertOrUpdate } from './inserts'
import { forUpdate, holdAccounts } from './locks'
import { isOneOf } from './row-values'
import type { Database, NotificationMarksTable, NotificationsTable } from './schema'

type Tx = Transaction<Database>

/** Rows of one transaction: the locks last milliseconds. */
const CHUNK = 1_000
const KEY = ['recipient_id', 'kind', 'actor_id', 'subject_id'] as const
const MARK = ['noticed_at', 'kind', 'actor_id', 'subject_id', 'newest'] as const
const OF_ANYBODY = ['subject_id', 'actor_id', 'kind'] as const

/** What the log brings to the notifications: new ones, and those that are so no more. */
export function createNotificationWrites(
  db: Kysely<Database>,
  { clock }: { readonly clock: Clock },
): Pick<NotificationStore, 'add' | 'withdraw'> {
  return {
    async add(notifications) {
      const others = notifications.filter(({ recipient, actor }) => recipient !== actor)
      // In the order of recipients, as all that lock their rows.
      const rows = others
        .map((each) => ({ row: toRow(each), isLate: each.isLate }))
        .sort((a, b) => a.row.recipient_id - b.row.recipient_id || a.row.at - b.row.at)
      const notified = new Set<UserId>()
      for (const some of chunks(rows, CHUNK)) {
        const news = await transact(db, (tx) => addTo(tx, some, clock.now()))
        for (const user of news) notified.add(user)
      }
      return [...notified]
    },

    async withdraw(withdrawn) {
      for (const some of chunks(withdrawn, CHUNK)) {
        await transact(db, async (tx) => {
          const ofOne: number[][] = []
          const ofAnybody: number[][] = []
          for (const { recipient, kind, actor, subject } of some) {
            if (recipient === null) ofAnybody.push([subject, actor, kindNumber(kind)])
            else ofOne.push([recipient, kindNumber(kind), actor, subject])
          }
          await withdrawFrom(tx, 'PRIMARY', KEY, ofOne)
          await withdrawFrom(tx, 'notifications_subject', OF_ANYBODY, ofAnybody)
        })
      }
    },
  }
}

interface Addition {
  readonly row: NotificationsTable
  readonly isLate: boolean
}

/** The recipients who have news. */
async function addTo(
  tx: Tx,
  additions: readonly Addition[],
  now: number,
): Promise<ReadonlySet<UserId>> {
  const people = additions.flatMap(({ row }) => [row.recipient_id, row.actor_id])
  const live = await holdAccounts(tx, [...new Set(people)])
  const rows = additions.filter(({ row }) => live.has(row.recipient_id) && live.has(row.actor_id))
  if (rows.length === 0) return new Set()
  const marks = await lockMarks(tx, [...new Set(rows.map(({ row }) => row.recipient_id))])
  // After the lock: what another transaction put there is seen.
  const standing = await find(
    tx,
    rows.map(({ row }) => row),
  )

  const notified = new Set<UserId>()
  const written: NotificationsTable[] = []
  for (const { row, isLate } of rows) {
    const mark = marks.get(row.recipient_id) ?? unread(row.recipient_id)
    const old = standing.get(keyOf(row)) ?? null
    if (!isLate && (old === null || row.at - old.at >= NEWS_AGAIN_MS)) {
      // Above `at` in any case: one that stands there is late.
      const newest = Math.max(mark.newest, now, row.at) + 1
      marks.set(row.recipient_id, { ...mark, newest })
      written.push({ ...row, noticed_at: newest })
      notified.add(row.recipient_id)
    } else if (old === null) {
      marks.set(row.recipient_id, withLate(mark, row.at))
      written.push({ ...row, noticed_at: row.at })
    } else if (old.noticed_at < 0) {
      written.push({ ...old, noticed_at: -old.noticed_at })
    }
  }
  if (written.length === 0) return notified
  await insertOrUpdate(tx, 'notifications', written, ['at', 'noticed_at'])
  await insertOrUpdate(tx, 'notification_marks', [...marks.values()], MARK)
  return notified
}

function unread(user: UserId): NotificationMarksTable {
  return {
    user_id: user,
    noticed_at: 0,
    kind: 0,
    actor_id: 0 as UserId,
    subject_id: 0,
    newest: 0,
  }
}

/** A late one counts as read: where nothing is unread, the mark passes it, and counts need not look at it. */
function withLate(mark: NotificationMarksTable, at: number): NotificationMarksTable {
  // The mark stands above it: what has the place of the mark is looked at.
  const newest = Math.max(mark.newest, at + 1)
  if (mark.newest > mark.noticed_at) return { ...mark, newest }
  const last = Number.MAX_SAFE_INTEGER
  return {
    ...mark,
    noticed_at: newest,
    kind: last,
    actor_id: last as UserId,
    subject_id: last,
    newest,
  }
}

/** Locks the rows that places of these recipients are taken from. */
async function lockMarks(
  tx: Tx,
  users: readonly UserId[],
): Promise<Map<UserId, NotificationMarksTable>> {
  // Locks those that are there, too: a plain insert would share the lock, and wait for whoever shares it.
  await insertOrUpdate(tx, 'notification_marks', users.map(unread), ['user_id'])
  const marks = tx.selectFrom('notification_marks').selectAll().where('user_id', 'in', users)
  const rows = await forUpdate(tx, marks.orderBy('user_id')).execute()
  return new Map(rows.map((row) => [row.user_id, row]))
}

async function find(
  tx: Tx,
  rows: readonly NotificationsTable[],
): Promise<ReadonlyMap<string, NotificationsTable>> {
  const found = await tx
    .selectFrom(byIndex('notifications', 'PRIMARY'))
    .selectAll()
    .where(isOneOf(tx, KEY, rows.map(keyValues)))
    .execute()
  return new Map(found.map((row) => [keyOf(row), row]))
}

async function withdrawFrom(
  tx: Tx,
  index: string,
  columns: readonly string[],
  rows: readonly (readonly number[])[],
): Promise<void> {
  if (rows.length === 0) return
  await tx
    .updateTable(byIndex('notifications', index))
    .set({ noticed_at: sql`-noticed_at` })
    .where(isOneOf(tx, columns, rows))
    .where('noticed_at', '>', 0)
    .execute()
}

export function kindNumber(kind: NotificationKind): number {
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
    noticed_at: each.at,
  }
}

function keyValues(row: NotificationsTable): readonly number[] {
  return KEY.map((column) => row[column])
}

function keyOf(row: NotificationsTable): string {
  return keyValues(row).join()
}
