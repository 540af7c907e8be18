import { mentionedIn, tagKeysIn } from '@sns/shared/domain/entities'
import type { CommentId, PostId, UserId } from '@sns/shared/domain/id'
import { type ChangeEvent, isChangeOf } from '@sns/shared/events/change-event'
import type { ChangeAnnouncer } from '@sns/shared/ports/freshness'
import {
  type NewNotification,
  NOTIFICATIONS_KEPT_MS,
  type NotificationStore,
  type WithdrawnNotification,
} from '@sns/shared/ports/notification-store'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { TagStore } from '@sns/shared/ports/tag-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import { type Consumer, type ConsumerDeps, createConsumer } from '@sns/shared/runtime/consumer'

export interface DerivedTablesDeps extends ConsumerDeps {
  readonly posts: Pick<PostStore, 'published'>
  readonly users: Pick<UserStore, 'findIdsByUsername'>
  readonly notifications: Pick<NotificationStore, 'add' | 'withdraw'>
  readonly tags: Pick<TagStore, 'set'>
  readonly hints: Pick<ChangeAnnouncer, 'hint'>
}

export interface DerivedTablesOptions {
  /** The consumer group. */
  readonly group: string
}

const TABLES = ['posts', 'comments', 'likes', 'follows'] as const
const MAX_BATCH = 500
/** What happened longer ago is put in its place of then: an import, a snapshot, a group that begins. */
const LATE_MS = 24 * 3600 * 1000

type Derived = ChangeEvent<(typeof TABLES)[number]>

/** What a batch asks for, before it is known who wrote the posts that it names. */
interface Work {
  readonly tags: Map<PostId, readonly string[]>
  readonly removed: Map<string, Told>
  /** By what they are about, then by whom they are for. */
  readonly added: Map<string, Map<string, Told>>
}

/** Whom to tell of what. */
interface Told {
  readonly kind: NewNotification['kind']
  readonly actor: UserId
  readonly subject: CommentId | PostId | 0
  readonly post: PostId | 0
  readonly at: number
  /** A user; the author of `post`; or whoever has a name, but for the author of `post` where they are told of the comment. */
  readonly recipient: UserId | 'author' | { readonly name: string }
}

/**
 * Keeps the tables that are made from the log: which posts have a hashtag, and who is told of what. May be
 * repeated: the same changes lead to the same rows. Rows of a snapshot make them anew.
 */
export function createDerivedTables(
  deps: DerivedTablesDeps,
  { group }: DerivedTablesOptions,
): Consumer {
  const { posts, users, notifications, tags, hints, clock } = deps

  /** Nobody, where the post or the name is gone. */
  function recipientOf(
    { recipient, post, subject }: Told,
    authors: ReadonlyMap<number, UserId>,
    named: ReadonlyMap<string, UserId>,
  ): UserId | null {
    const author = authors.get(post) ?? null
    if (recipient === 'author') return author
    if (typeof recipient === 'number') return recipient
    const user = named.get(recipient.name) ?? null
    // They are told of the comment itself.
    return subject !== post && user === author ? null : user
  }

  async function forget(gone: readonly Told[]): Promise<void> {
    const named = await users.findIdsByUsername(namesIn(gone))
    const withdrawn: WithdrawnNotification[] = []
    for (const { kind, actor, subject, recipient } of gone) {
      const about = { kind, actor, subject }
      if (recipient === 'author') withdrawn.push({ ...about, recipient: null })
      else {
        const user = typeof recipient === 'number' ? recipient : named.get(recipient.name)
        if (user !== undefined) withdrawn.push({ ...about, recipient: user })
      }
    }
    await notifications.withdraw(withdrawn)
  }

  async function tell(told: readonly Told[]): Promise<void> {
    const ids = [...new Set(told.map(({ post }) => post))].filter(
      (post): post is PostId => post > 0,
    )
    const found = await posts.published(ids)
    const authors = new Map<number, UserId>(found.map(({ body }) => [body.id, body.authorId]))
    const named = await users.findIdsByUsername(namesIn(told))
    const now = clock.now()
    const added: NewNotification[] = []
    for (const each of told) {
      const recipient = recipientOf(each, authors, named)
      const age = now - each.at
      if (recipient === null || age > NOTIFICATIONS_KEPT_MS) continue
      const { kind, actor, subject, post } = each
      const at = Math.min(each.at, now)
      added.push({ recipient, kind, actor, subject, post, at, isLate: age > LATE_MS })
    }
    const notified = await notifications.add(added)
    await hints.hint(notified.map((user) => ({ kind: 'notified', user })))
  }

  return createConsumer(deps, {
    name: 'derive',
    group,
    tables: TABLES,
    maxBatch: MAX_BATCH,
    async handle(events) {
      const { tags: tagged, removed, added } = workOf(events)
      await tags.set([...tagged].map(([post, keys]) => ({ post, tags: keys })))
      if (removed.size > 0) await forget([...removed.values()])
      if (added.size > 0) await tell([...added.values()].flatMap((same) => [...same.values()]))
    },
  })
}

function namesIn(told: readonly Told[]): readonly string[] {
  const names = told.flatMap(({ recipient }) =>
    typeof recipient === 'object' ? [recipient.name] : [],
  )
  return [...new Set(names)]
}

/** The last state of each row decides; a row that went and came is removed, then added. */
function workOf(events: readonly Derived[]): Work {
  const work: Work = { tags: new Map(), removed: new Map(), added: new Map() }
  for (const event of events) {
    if (isChangeOf('posts', event)) notePost(event, work)
    else if (isChangeOf('comments', event)) noteComment(event, work)
    else if (isChangeOf('likes', event)) {
      const { user_id: actor, post_id: post, created_at: at } = rowOf(event)
      note(event, work, { kind: 'like', actor, subject: post, post, at, recipient: 'author' })
    } else if (isChangeOf('follows', event)) {
      const { follower_id: actor, followee_id: recipient, created_at: at } = rowOf(event)
      note(event, work, { kind: 'follow', actor, subject: 0, post: 0, at, recipient })
    }
  }
  return work
}

function notePost(event: ChangeEvent<'posts'>, work: Work): void {
  const { id, author_id: actor, created_at, edited_at } = rowOf(event)
  const [before, after] = [event.before?.text ?? '', event.after?.text ?? '']
  work.tags.set(id, tagKeysIn(after))
  const mention = { kind: 'mention', actor, subject: id, post: id } as const
  if (event.op === 'd') {
    remove(work, { ...mention, at: created_at, recipient: 'author' })
    return
  }
  const [old, named] = [mentionedIn(event.op === 'u' ? before : ''), mentionedIn(after)]
  const at = event.op === 'u' ? (edited_at ?? created_at) : created_at
  for (const name of old) {
    if (!named.includes(name)) remove(work, { ...mention, at, recipient: { name } })
  }
  for (const name of named) {
    if (!old.includes(name)) add(work, { ...mention, at, recipient: { name } })
  }
}

function noteComment(event: ChangeEvent<'comments'>, work: Work): void {
  const { id: subject, post_id: post, author_id: actor, created_at: at, text } = rowOf(event)
  const about = { actor, subject, post, at } as const
  note(event, work, { ...about, kind: 'comment', recipient: 'author' })
  if (event.op === 'd') note(event, work, { ...about, kind: 'mention', recipient: 'author' })
  else
    for (const name of mentionedIn(text))
      add(work, { ...about, kind: 'mention', recipient: { name } })
}

function note({ op }: Pick<Derived, 'op'>, work: Work, told: Told): void {
  if (op === 'd') remove(work, told)
  else add(work, told)
}

/** Of a post or comment that is gone, whoever was told of it. */
function remove({ added, removed }: Work, gone: Told): void {
  const subject = subjectOf(gone)
  removed.set(`${subject},${nameOf(gone)}`, gone)
  if (gone.recipient === 'author') added.delete(subject)
  else added.get(subject)?.delete(nameOf(gone))
}

function add({ added }: Work, told: Told): void {
  const subject = subjectOf(told)
  const same = added.get(subject) ?? new Map()
  added.set(subject, same.set(nameOf(told), told))
}

function subjectOf({ kind, actor, subject }: Told): string {
  return [kind, actor, subject].join()
}

function nameOf({ recipient }: Told): string {
  return typeof recipient === 'object' ? `@${recipient.name}` : String(recipient)
}

function rowOf<Row>({ before, after }: { before: Row | null; after: Row | null }): Row {
  return (after ?? before) as Row
}
