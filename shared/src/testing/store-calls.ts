import type { Kysely } from 'kysely'
import { insertAbsent } from '../adapters/sql/inserts'
import type { Database } from '../adapters/sql/schema'
import { createSqlSearchSource } from '../adapters/sql/search-source'
import type { CommentId, FollowId, PostId, SessionId, UserId } from '../domain/id'
import type { Crossing } from '../ports/lane-store'
import type { NewNotification } from '../ports/notification-store'
import type { SearchSource } from '../ports/search-source'
import { createSqlStores, type SqlStores } from '../runtime/sql-stores'
import { createManualClock } from './manual-clock'

const PEOPLE = 600
const POSTS = 6_000
/** Follows many, is followed by many, and likes, blocks, mutes and comments much. */
export const BUSY = 1 as UserId
const USER = (n: number) => (1 + (n % PEOPLE)) as UserId
const POST = (n: number) => (1_000 + (n % POSTS)) as PostId
/** Liked and commented on by many. */
const LIKED = POST(3_000)
const NOW = createManualClock().now()
const LATER = NOW + 1e9

/** Rows in every table that the stores read: the same, whatever the database. */
export async function seedStores(db: Kysely<Database>): Promise<void> {
  const many = <Row>(count: number, row: (n: number) => Row) =>
    Array.from({ length: count }, (_, n) => row(n))
  const insert = async <Table extends keyof Database>(
    table: Table,
    rows: readonly Parameters<typeof insertAbsent<Table>>[2][number][],
  ) => {
    for (let at = 0; at < rows.length; at += 1_000) {
      await insertAbsent(db, table, rows.slice(at, at + 1_000))
    }
  }
  const times = { created_at: NOW, updated_at: NOW }
  await insert(
    'users',
    many(PEOPLE, (n) => ({ id: USER(n), username: `user_${n}`, display_name: 'x', ...times })),
  )
  await insert(
    'accounts',
    many(PEOPLE, (n) => ({ user_id: USER(n), password_hash: 'x', graph_version: 0 })),
  )
  await insert(
    'posts',
    many(POSTS, (n) => ({
      id: POST(n),
      author_id: USER(n * 7),
      text: 'x',
      version: 1,
      edited_at: null,
      ...times,
    })),
  )
  await insert(
    'post_counts',
    many(POSTS, (n) => ({ post_id: POST(n), likes: 500, comments: 500 })),
  )
  const follow = (follower: UserId, followee: UserId, id: number) => ({
    follower_id: follower,
    followee_id: followee,
    id: id as FollowId,
    created_at: NOW,
  })
  await insert(
    'follows',
    [
      ...many(400, (n) => follow(BUSY, USER(n + 1), 1 + n)),
      ...many(400, (n) => follow(USER(n + 1), BUSY, 1_000 + n)),
      ...many(3_000, (n) => follow(USER(2 + (n % 500)), USER(n * 11 + 3), 2_000 + n)),
    ].filter(({ follower_id, followee_id }) => follower_id !== followee_id),
  )
  await insert('blocks', [
    ...many(100, (n) => ({ blocker_id: BUSY, blocked_id: USER(500 + n), created_at: NOW + n })),
    ...many(300, (n) => ({
      blocker_id: USER(100 + n),
      blocked_id: USER(590 - n),
      created_at: NOW,
    })),
  ])
  await insert('mutes', [
    ...many(100, (n) => ({ muter_id: BUSY, muted_id: USER(300 + n), created_at: NOW + n })),
    ...many(300, (n) => ({ muter_id: USER(100 + n), muted_id: USER(590 - n), created_at: NOW })),
  ])
  await insert('likes', [
    ...many(500, (n) => ({ user_id: USER(n), post_id: LIKED, created_at: NOW + n })),
    ...many(500, (n) => ({ user_id: BUSY, post_id: POST(n * 3), created_at: NOW + n })),
    ...many(2_000, (n) => ({ user_id: USER(n * 13), post_id: POST(n * 17), created_at: NOW })),
  ])
  await insert('comments', [
    ...many(500, (n) => ({
      id: (1 + n) as CommentId,
      post_id: LIKED,
      author_id: USER(n),
      text: 'x',
      created_at: NOW,
    })),
    ...many(2_000, (n) => ({
      id: (1_000 + n) as CommentId,
      post_id: POST(n * 17),
      author_id: n % 4 ? USER(n) : BUSY,
      text: 'x',
      created_at: NOW,
    })),
  ])
  await insert(
    'post_tags',
    many(3_000, (n) => ({ tag: n % 3 ? 'common' : `tag${n % 100}`, post_id: POST(n) })),
  )
  const session = (user: UserId, n: number) => ({
    id: (1 + n) as SessionId,
    user_id: user,
    family_id: `family ${n}`,
    created_at: NOW,
    last_used_at: NOW,
    live_until: LATER,
    expires_at: LATER,
    rotations: 0,
    is_repeated: 0 as const,
  })
  const token = (user: UserId, n: number) => ({
    hash: `hash ${n}`,
    family_id: `family ${n}`,
    user_id: user,
    expires_at: LATER,
    replaced_at: null,
    replaced_in: null,
    revoked_at: null,
    created_at: NOW,
  })
  await insert(
    'sessions',
    many(1_000, (n) => session(n % 2 ? BUSY : USER(n), n)),
  )
  await insert(
    'refresh_tokens',
    many(1_000, (n) => token(n % 2 ? BUSY : USER(n), n)),
  )
  await insert(
    'idempotency_keys',
    many(1_000, (n) => ({
      user_id: n % 2 ? BUSY : USER(n),
      idem_key: `key ${n}`,
      post_id: POST(n),
      text_hash: 'x',
      created_at: NOW,
    })),
  )
  await insert(
    'resting_usernames',
    many(500, (n) => ({ username: `rests_${n}`, rests_until: LATER })),
  )
  await insert(
    'merged_authors',
    many(10, (n) => ({ author_id: USER(n + 50), is_pushed: 0, crossing: n })),
  )
  await insert(
    'notifications',
    many(2_000, (n) => ({
      recipient_id: n % 2 ? BUSY : USER(n),
      kind: 1,
      actor_id: USER(n * 3),
      subject_id: POST(n),
      post_id: POST(n),
      at: NOW,
      noticed_at: NOW + n,
    })),
  )
}

/** The stores whose plans are looked at. */
interface PlannedStores extends SqlStores {
  readonly source: SearchSource
}

type Calls = {
  readonly [Store in keyof PlannedStores]: {
    readonly [Method in keyof PlannedStores[Store]]: () => Promise<unknown>
  }
}

/**
 * A call of every method of every store, for what it asks the database on the rows of `seedStores`; a method without
 * one does not compile. What a call answers plays no part.
 */
export function storeCalls(db: Kysely<Database>): Calls {
  const clock = createManualClock()
  let next = 5_000_000
  const ids = {
    next: <Kind extends string>() => next++ as number & { readonly [K in never]: Kind } as never,
  }
  const {
    users,
    sessions,
    graph,
    posts,
    engagement,
    lanes,
    notifications,
    tags,
    deliveryProgress,
  } = createSqlStores(db, { clock, ids })
  const source = createSqlSearchSource(db)
  const each =
    <Value>(values: readonly Value[], call: (value: Value) => Promise<unknown>) =>
    async () => {
      for (const value of values) await call(value).catch(() => undefined)
    }
  const [ann, bob] = [USER(20), USER(420)]
  const hundred = Array.from({ length: 100 }, (_, n) => POST(n * 5))
  const postPages = [null, POST(4_000)].map((before) => ({ before, limit: 21 }))
  const followPages = [null, 1_200 as FollowId].map((before) => ({ before, limit: 21 }))
  const keyPages = [null, { at: NOW + 50, user: USER(530) }].map((before) => ({
    before,
    limit: 21,
  }))
  // Of what `seedStores` gave the busy one: the thousandth from below, as a client that has seen it says.
  const seen = { noticedAt: NOW + 1_001, kind: 1, actor: USER(3_003), subject: POST(1_001) }
  const notices = (
    [
      ['follow', 0, 0],
      ['like', POST(9), POST(9)],
      ['comment', 5, POST(9)],
      ['mention', POST(12), POST(12)],
    ] as const
  ).map(([kind, subject, post]) => ({ recipient: BUSY, kind, actor: bob, subject, post, at: NOW }))
  const grant = { userId: BUSY, sessionId: 2 as SessionId, epoch: 0 }
  return {
    users: {
      create: () =>
        users.create({
          id: ids.next<'user'>(),
          username: 'new_user',
          displayName: 'x',
          passwordHash: 'x',
        }),
      findAccount: () => users.findAccount(BUSY),
      ids: each([null, USER(100)], (after) => users.ids(after, 100)),
      findByUsername: () => users.findByUsername('user_7'),
      findIdsByUsername: () => users.findIdsByUsername(hundred.map((_, n) => `user_${n}`)),
      findProfile: () => users.findProfile('user_7', BUSY),
      findVisible: () =>
        users.findVisible(
          hundred.map((_, n) => USER(n * 3)),
          BUSY,
        ),
      findCredentials: () => users.findCredentials('user_7'),
      updateDisplayName: () => users.updateDisplayName(ann, 'y'),
      touchGraph: () => users.touchGraph(hundred.map((_, n) => USER(n))),
      updatePassword: () => users.updatePassword(ann, { from: 'x', to: 'y' }),
      delete: () => users.delete(BUSY),
      finishDeletions: () => users.finishDeletions(new AbortController().signal),
      pruneUsernames: () => users.pruneUsernames(NOW),
    },
    sessions: {
      start: () =>
        sessions.start(
          {
            id: ids.next<'session'>(),
            userId: bob,
            passwordHash: 'x',
            expiresAt: LATER,
            token: { hash: 'new', expiresAt: LATER },
          },
          NOW,
        ),
      rotate: each(['hash 5', 'hash 5', 'hash 5', 'no hash'], (hash) =>
        sessions.rotate(hash, { hash: crypto.randomUUID(), expiresAt: LATER }, NOW),
      ),
      findViewer: () => sessions.findViewer(grant, NOW),
      list: each([null, 500 as SessionId], (before) =>
        sessions.list(BUSY, { before, limit: 21 }, NOW),
      ),
      end: () => sessions.end(BUSY, 8 as SessionId),
      endByToken: () => sessions.endByToken('hash 11'),
      prune: () => sessions.prune(NOW),
    },
    graph: {
      follow: each([ann, BUSY], (user) => graph.follow(bob, user)),
      unfollow: () => graph.unfollow(bob, ann),
      block: () => graph.block(bob, ann),
      unblock: () => graph.unblock(bob, ann),
      mute: () => graph.mute(bob, ann),
      unmute: () => graph.unmute(bob, ann),
      isBlockedBy: () => graph.isBlockedBy(BUSY, bob),
      isBlockedEitherWay: () => graph.isBlockedEitherWay(BUSY, bob),
      blockedEitherWay: () => graph.blockedEitherWay(BUSY),
      blocks: each(keyPages, (page) => graph.blocks(BUSY, page)),
      mutes: each(keyPages, (page) => graph.mutes(BUSY, page)),
      followers: each(followPages, (page) => graph.followers(BUSY, ann, page)),
      following: each(followPages, (page) => graph.following(BUSY, ann, page)),
      withFewerFollowers: () => graph.withFewerFollowers([BUSY, ann, bob], 100),
      followersOf: each(
        [null, { author: BUSY, follower: ann, followId: 1_100 as FollowId }],
        (after) => graph.followersOf([BUSY, ann, bob], after, 500),
      ),
    },
    posts: {
      create: each([null, 'a key', 'key 1'], (idempotencyKey) =>
        posts.create({ id: ids.next<'post'>(), authorId: BUSY, text: 'x', idempotencyKey }),
      ),
      edit: () => posts.edit(POST(0), BUSY, 'y'),
      delete: () => posts.delete(POST(17), USER(17 * 7)),
      finishDeletions: () => posts.finishDeletions(new AbortController().signal),
      find: () => posts.find(LIKED, BUSY),
      byAuthor: each(postPages, (page) => posts.byAuthor(ann, BUSY, page)),
      newestIds: () => posts.newestIds(ann, 200),
      feedIds: each([...postPages, { before: null, limit: 800 }], (page) =>
        posts.feedIds(BUSY, page),
      ),
      visible: () => posts.visible(BUSY, hundred),
      published: () => posts.published(hundred),
      feedAuthors: () => posts.feedAuthors(BUSY),
      likedIds: each(postPages, (page) => posts.likedIds(BUSY, page)),
      visibleLikedIds: each(postPages, (page) => posts.visibleLikedIds(BUSY, page)),
      liked: () => posts.liked(BUSY, hundred),
      pruneIdempotencyKeys: () => posts.pruneIdempotencyKeys(NOW),
    },
    engagement: {
      like: () => engagement.like(bob, POST(5)),
      unlike: () => engagement.unlike(bob, POST(5)),
      comment: each([null, 'a key'], (idempotencyKey) =>
        engagement.comment({
          id: ids.next<'comment'>(),
          postId: POST(5),
          authorId: bob,
          text: 'x',
          idempotencyKey,
        }),
      ),
      deleteComment: () => engagement.deleteComment(1 as CommentId, BUSY),
      likers: each(keyPages, (page) => engagement.likers(LIKED, ann, page)),
      comments: each([null, 100 as CommentId], (after) =>
        engagement.comments(LIKED, ann, { after, limit: 21 }),
      ),
    },
    lanes: {
      lanesOf: () => lanes.lanesOf([ann, bob]),
      mergedAuthors: () => lanes.mergedAuthors(),
      begin: () => lanes.begin(ann),
      finish: each(['pull', 'push'] as const, (lane) => lanes.finish(ann, 1 as Crossing, lane)),
    },
    notifications: {
      add: each([false, true], (isLate) =>
        notifications.add(
          [ann, BUSY].flatMap((recipient) =>
            notices.map((notice) => ({ ...notice, recipient, isLate }) as NewNotification),
          ),
        ),
      ),
      withdraw: each([BUSY, null], (recipient) =>
        notifications.withdraw(
          hundred.map((subject) => ({ kind: 'like', actor: ann, subject, recipient })),
        ),
      ),
      list: each([{ before: null }, { before: seen }, { before: null, after: seen }], (page) =>
        notifications.list(BUSY, { ...page, limit: 21 }),
      ),
      // Before anything is read, and after.
      countUnread: each([ann, BUSY], (user) => notifications.countUnread(user, 100)),
      markRead: () => notifications.markRead(BUSY, seen),
      prune: () => notifications.prune(NOW + 500),
    },
    deliveryProgress: {
      captured: () => deliveryProgress.captured(),
      delivered: () => deliveryProgress.delivered(),
      record: () => deliveryProgress.record(LATER),
      oldestFrom: () => deliveryProgress.oldestFrom(POST(100)),
      newestFrom: () => deliveryProgress.newestFrom(POST(100), 500),
    },
    tags: {
      set: () => tags.set(hundred.map((post) => ({ post, tags: ['common'] }))),
      postIds: each(postPages, (page) => tags.postIds('common', BUSY, page)),
    },
    source: {
      documents: each(['post', 'user'] as const, (kind) => source.documents(kind, 1_100, 100)),
      find: each(['post', 'user'] as const, (kind) => source.find(kind, hundred)),
      span: each(['post', 'user'] as const, (kind) => source.span(kind)),
    },
  }
}
