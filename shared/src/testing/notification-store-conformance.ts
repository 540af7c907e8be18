import { describe, expect, test } from 'bun:test'
import type { CommentId, IdGenerator, PostId, UserId } from '../domain/id'
import type { EngagementStore } from '../ports/engagement-store'
import type { GraphStore } from '../ports/graph-store'
import type { NewNotification, NotificationStore } from '../ports/notification-store'
import type { PostStore } from '../ports/post-store'
import type { UserStore } from '../ports/user-store'
import type { ManualClock } from './manual-clock'
import { passwordHashOf, signUpAll } from './people'

export interface NotificationStoreHarness extends AsyncDisposable {
  readonly notifications: NotificationStore
  readonly users: UserStore
  readonly graph: GraphStore
  readonly posts: PostStore
  readonly engagement: EngagementStore
  readonly ids: IdGenerator
  /** The store's. */
  readonly clock: ManualClock
  /** How many statements the stores send for it. */
  countStatements(work: () => Promise<unknown>): Promise<number>
}

/** What every `NotificationStore` must do. */
export function notificationStoreConformance(open: () => Promise<NotificationStoreHarness>): void {
  async function openWorld() {
    const harness = await open()
    const { posts, engagement, notifications, ids, users, clock } = harness
    const [me, ann, bob] = await signUpAll(users, 'me', 'ann', 'bob')
    const write = async (author: UserId, text = 'post') => {
      const id = ids.next<'post'>()
      const post = { id, authorId: author, text, idempotencyKey: null }
      return (await posts.create(post)).body.id
    }
    const say = async (author: UserId, post: PostId, text = 'comment') =>
      (
        await engagement.comment({
          id: ids.next<'comment'>(),
          postId: post,
          authorId: author,
          text,
          idempotencyKey: null,
        })
      ).comment.id
    const tell = (
      kind: NewNotification['kind'],
      actor: UserId,
      post: PostId | 0 = 0,
      subject: CommentId | PostId | 0 = post,
      recipient = me.id,
    ) => {
      clock.advance(10)
      const told = { recipient, kind, actor, subject, post, at: clock.now() - 5, isLate: false }
      return notifications.add([told])
    }
    const list = async (user = me.id) =>
      (await notifications.list(user, { before: null, limit: 100 })).items
    const shown = async () => (await list()).map(({ kind, actor }) => `${kind} ${actor.username}`)
    const unread = () => notifications.countUnread(me.id, 99)
    return { ...harness, me, ann, bob, write, say, tell, list, shown, unread }
  }

  describe('NotificationStore', () => {
    test('lists what happened, newest first, with who did it and about what', async () => {
      await using world = await openWorld()
      const { me, ann, bob, graph, engagement, write, say, tell, list } = world
      const mine = await write(me.id, 'my post')
      const theirs = await write(ann.id, `hello @${me.username}`)
      await graph.follow(ann.id, me.id)
      await engagement.like(bob.id, mine)
      const comment = await say(ann.id, mine, 'well said')
      await tell('follow', ann.id)
      await tell('like', bob.id, mine)
      await tell('comment', ann.id, mine, comment)
      await tell('mention', ann.id, theirs)
      const about = (await list()).map(({ kind, actor, postId, commentId, text, isRead }) => ({
        kind,
        by: actor.id,
        postId,
        commentId,
        text,
        isRead,
      }))
      expect(about).toEqual([
        {
          kind: 'mention',
          by: ann.id,
          postId: theirs,
          commentId: null,
          text: `hello @${me.username}`,
          isRead: false,
        },
        {
          kind: 'comment',
          by: ann.id,
          postId: mine,
          commentId: comment,
          text: 'well said',
          isRead: false,
        },
        { kind: 'like', by: bob.id, postId: mine, commentId: null, text: 'my post', isRead: false },
        { kind: 'follow', by: ann.id, postId: null, commentId: null, text: null, isRead: false },
      ])
      expect(await list(ann.id)).toEqual([])
    })

    test('pages to the end, also where several were noticed at once', async () => {
      await using world = await openWorld()
      const { me, ann, bob, notifications, engagement, write, clock } = world
      const told: NewNotification[] = []
      for (let at = 0; at < 4; at += 1) {
        const post = await write(me.id)
        for (const actor of [ann.id, bob.id]) {
          await engagement.like(actor, post)
          told.push({
            recipient: me.id,
            kind: 'like',
            actor,
            subject: post,
            post,
            at: clock.now() - DAY + (at >> 1),
            isLate: true,
          })
        }
      }
      // Late ones stand in their place of then, and notify nobody.
      expect(await notifications.add(told)).toEqual([])
      const seen: string[] = []
      let before = null
      do {
        const { items, next }: Awaited<ReturnType<typeof notifications.list>> =
          await notifications.list(me.id, { before, limit: 3 })
        seen.push(...items.map(({ key }) => JSON.stringify(key)))
        before = next
      } while (before !== null)
      expect(new Set(seen).size).toBe(8)
      expect(seen).toHaveLength(8)
    })

    test('holds each once, where it first was, however often it is told', async () => {
      await using world = await openWorld()
      const { me, ann, bob, graph, notifications, tell, list } = world
      await graph.follow(ann.id, me.id)
      await graph.follow(bob.id, me.id)
      expect(await tell('follow', ann.id)).toEqual([me.id])
      const [first] = await list()
      expect(await tell('follow', ann.id)).toEqual([])
      expect(await list()).toEqual([first!])
      // Of several, whoever has something new.
      const both = [ann.id, bob.id].map((actor) => newFollow(world, actor))
      expect(await notifications.add([...both, ...both])).toEqual([me.id])
      expect((await list()).map(({ actor }) => actor.id)).toEqual([bob.id, ann.id])
    })

    test('tells nobody of what they did themselves, nor who is gone', async () => {
      await using world = await openWorld()
      const { me, ann, users, write, tell, list } = world
      const mine = await write(me.id, 'mine')
      expect(await tell('mention', me.id, mine)).toEqual([])
      await users.delete(ann.id, passwordHashOf(ann.username))
      expect(await tell('follow', ann.id)).toEqual([])
      expect(await tell('like', me.id, mine, mine, ann.id)).toEqual([])
      expect(await list()).toEqual([])
    })

    test('leaves out at once what is not so any more', async () => {
      await using world = await openWorld()
      const { me, ann, bob, graph, engagement, posts, users, write, say, tell, shown } = world
      const [mine, other] = [await write(me.id), await write(me.id)]
      await graph.follow(ann.id, me.id)
      await engagement.like(ann.id, mine)
      await engagement.like(bob.id, other)
      const comment = await say(ann.id, mine)
      const named = await say(ann.id, other)
      await tell('follow', ann.id)
      await tell('like', ann.id, mine)
      await tell('like', bob.id, other)
      await tell('comment', ann.id, mine, comment)
      await tell('mention', ann.id, other, named)
      const [a, b] = [ann.username, bob.username]
      expect(await shown()).toEqual([
        `mention ${a}`,
        `comment ${a}`,
        `like ${b}`,
        `like ${a}`,
        `follow ${a}`,
      ])
      await graph.unfollow(ann.id, me.id)
      await engagement.unlike(ann.id, mine)
      await engagement.deleteComment(named, ann.id)
      expect(await shown()).toEqual([`comment ${a}`, `like ${b}`])
      await posts.delete(mine, me.id)
      expect(await shown()).toEqual([`like ${b}`])
      await users.delete(bob.id, passwordHashOf(bob.username))
      expect(await shown()).toEqual([])
    })

    test('leaves out everybody blocked or muted, and posts of who is blocked', async () => {
      await using world = await openWorld()
      const { me, ann, bob, graph, engagement, write, say, tell, shown, unread } = world
      const mine = await write(me.id)
      const anns = await write(ann.id)
      await engagement.like(ann.id, mine)
      await engagement.like(bob.id, mine)
      const named = await say(bob.id, anns, `@${me.username}`)
      await tell('like', ann.id, mine)
      await tell('like', bob.id, mine)
      await tell('mention', bob.id, anns, named)
      const [a, b] = [ann.username, bob.username]
      expect(await shown()).toEqual([`mention ${b}`, `like ${b}`, `like ${a}`])
      await graph.mute(me.id, ann.id)
      expect(await shown()).toEqual([`mention ${b}`, `like ${b}`])
      await graph.unmute(me.id, ann.id)
      await graph.block(ann.id, me.id)
      expect([await shown(), await unread()]).toEqual([[`like ${b}`], 1])
      await graph.block(me.id, bob.id)
      expect([await shown(), await unread()]).toEqual([[], 0])
    })

    test('counts what is not read, and reading never goes back', async () => {
      await using world = await openWorld()
      const { me, ann, engagement, notifications, write, tell, list, unread } = world
      for (let at = 0; at < 3; at += 1) {
        const post = await write(me.id)
        await engagement.like(ann.id, post)
        await tell('like', ann.id, post)
      }
      expect(await unread()).toBe(3)
      expect(await notifications.countUnread(me.id, 2)).toBe(2)
      const [newest, middle, oldest] = await list()
      await notifications.markRead(me.id, middle!.key)
      expect([await unread(), (await list()).map(({ isRead }) => isRead)]).toEqual([
        1,
        [false, true, true],
      ])
      await notifications.markRead(me.id, oldest!.key)
      await notifications.markRead(me.id, middle!.key)
      expect(await unread()).toBe(1)
      await Promise.all([newest, oldest].map((each) => notifications.markRead(me.id, each!.key)))
      expect(await unread()).toBe(0)
    })

    test('marks up to a notification of one’s own, and up to no other', async () => {
      await using world = await openWorld()
      const { me, ann, engagement, notifications, write, tell, list, unread } = world
      for (let at = 0; at < 2; at += 1) {
        const post = await write(me.id)
        await engagement.like(ann.id, post)
        await tell('like', ann.id, post)
      }
      const [newest, oldest] = await list()
      const key = newest!.key
      const others = [
        { ...key, noticedAt: key.noticedAt + 1 },
        { ...key, actor: me.id },
        { ...key, subject: key.subject + 1 },
        { ...key, kind: key.kind + 1 },
      ]
      for (const other of others) {
        expect(await notifications.markRead(me.id, other)).toBeFalse()
      }
      expect(await notifications.markRead(ann.id, key)).toBeFalse()
      expect(await unread()).toBe(2)
      expect(await notifications.markRead(me.id, oldest!.key)).toBeTrue()
      expect(await notifications.markRead(ann.id, oldest!.key)).toBeFalse()
      // The one that is marked may go: to mark it again changes nothing.
      const { actor, subject } = oldest!.key
      await notifications.withdraw([{ kind: 'like', actor, subject, recipient: me.id }])
      expect(await notifications.markRead(me.id, oldest!.key)).toBeTrue()
      expect(await unread()).toBe(1)
    })

    test('holds what was noticed long after for read', async () => {
      await using world = await openWorld()
      const { me, ann, bob, graph, notifications, list, unread, clock } = world
      await graph.follow(ann.id, me.id)
      const told = { recipient: me.id, kind: 'follow', actor: ann.id, subject: 0, post: 0 } as const
      await notifications.add([{ ...told, at: clock.now() - 2 * DAY, isLate: true }])
      expect([(await list()).map(({ isRead }) => isRead), await unread()]).toEqual([[true], 0])
      // What comes after it is not.
      await graph.follow(bob.id, me.id)
      expect(await notifications.add([newFollow(world, bob.id)])).toEqual([me.id])
      expect([(await list()).map(({ isRead }) => isRead), await unread()]).toEqual([
        [false, true],
        1,
      ])
      // Nor is it read because something late comes after it.
      await graph.follow(me.id, ann.id)
      const late = { ...told, kind: 'like', subject: 1 as PostId, post: 1 as PostId } as const
      await notifications.add([{ ...late, at: clock.now() + DAY, isLate: true }])
      expect(await unread()).toBe(1)
    })

    test('withdraws those about a subject, and forgets old ones', async () => {
      await using world = await openWorld()
      const { me, ann, bob, graph, engagement, notifications, write, tell, list, shown } = world
      const mine = await write(me.id)
      await graph.follow(ann.id, me.id)
      await graph.follow(bob.id, me.id)
      await engagement.like(ann.id, mine)
      await tell('follow', ann.id)
      await tell('follow', bob.id)
      await tell('like', ann.id, mine)
      const gone = [
        { kind: 'like', actor: ann.id, subject: mine, recipient: null },
        { kind: 'like', actor: bob.id, subject: mine, recipient: null },
        { kind: 'follow', actor: bob.id, subject: 0, recipient: ann.id },
      ] as const
      await notifications.withdraw(gone)
      await notifications.withdraw(gone)
      expect(await shown()).toEqual([`follow ${bob.username}`, `follow ${ann.username}`])
      const [last] = await list()
      await notifications.prune(last!.key.noticedAt)
      expect(await shown()).toEqual([`follow ${bob.username}`])
      await notifications.prune(last!.key.noticedAt + 1)
      expect(await shown()).toEqual([])
    })

    test('notifies of what is taken back and done again after a day, not before', async () => {
      await using world = await openWorld()
      const { me, ann, bob, graph, notifications, tell, list, shown, unread, clock } = world
      await graph.follow(ann.id, me.id)
      await graph.follow(bob.id, me.id)
      const undo = () =>
        notifications.withdraw([{ kind: 'follow', actor: ann.id, subject: 0, recipient: me.id }])
      await tell('follow', ann.id)
      const [first] = await list()
      await tell('follow', bob.id)
      await notifications.markRead(me.id, (await list())[0]!.key)
      for (let at = 0; at < 3; at += 1) {
        await undo()
        expect(await shown()).toEqual([`follow ${bob.username}`])
        expect(await tell('follow', ann.id)).toEqual([])
        // Where it was, and as read as it was.
        expect((await list()).at(-1)?.key).toEqual(first!.key)
        expect(await unread()).toBe(0)
      }
      await undo()
      // What is forgotten goes also where it was withdrawn; this is not so old.
      await notifications.prune(first!.key.noticedAt)
      clock.advance(DAY)
      expect(await tell('follow', ann.id)).toEqual([me.id])
      // Who saw it in its old place may still say so.
      expect(await notifications.markRead(me.id, first!.key)).toBeTrue()
      expect(await shown()).toEqual([`follow ${ann.username}`, `follow ${bob.username}`])
      expect(await unread()).toBe(1)
      // The log from its beginning again.
      await undo()
      await notifications.add([{ ...newFollow(world, ann.id), at: first!.at }])
      expect((await shown())[0]).toBe(`follow ${ann.username}`)
    })

    test('gives each a place above what was read, whatever the clock says', async () => {
      await using world = await openWorld()
      const { me, ann, bob, graph, notifications, tell, list, unread, clock } = world
      await graph.follow(ann.id, me.id)
      await graph.follow(bob.id, me.id)
      await tell('follow', ann.id)
      await notifications.markRead(me.id, (await list())[0]!.key)
      // Another worker, whose clock is behind.
      clock.advance(-60_000)
      await tell('follow', bob.id)
      expect((await list()).map(({ actor, isRead }) => [actor.id, isRead])).toEqual([
        [bob.id, false],
        [ann.id, true],
      ])
      expect(await unread()).toBe(1)
      // Nobody reads what does not exist yet.
      const { key } = (await list())[0]!
      const never = { ...key, noticedAt: Number.MAX_SAFE_INTEGER }
      expect(await notifications.markRead(me.id, never)).toBeFalse()
      expect(await notifications.markRead(me.id, key)).toBeTrue()
      expect(await unread()).toBe(0)
      await notifications.withdraw([
        { kind: 'follow', actor: ann.id, subject: 0, recipient: me.id },
      ])
      clock.advance(2 * DAY)
      await tell('follow', ann.id)
      expect(await unread()).toBe(1)
    })

    test('gives places in the order of commits, whoever writes at once', async () => {
      await using world = await openWorld()
      const { me, engagement, notifications, users, write, list, clock } = world
      const mine = await write(me.id)
      const fans = await signUpAll(users, ...Array.from({ length: 12 }, (_, at) => `fan${at}`))
      for (const fan of fans) await engagement.like(fan.id, mine)
      const likes = fans.map(({ id }) => ({
        ...newFollow(world, id),
        kind: 'like' as const,
        subject: mine,
        post: mine,
      }))
      let isDone = false
      const seen = new Set<UserId>()
      const reader = (async () => {
        while (!isDone) {
          const shown = await list()
          for (const { actor } of shown) seen.add(actor.id)
          if (shown[0]) await notifications.markRead(me.id, shown[0].key)
        }
      })()
      await Promise.all(
        likes.map(async (like) => expect(await notifications.add([like])).toEqual([me.id])),
      )
      isDone = true
      await reader
      // Nothing was read before it was shown.
      const read = (await list()).filter(({ isRead }) => isRead)
      expect(read.filter(({ actor }) => !seen.has(actor.id))).toEqual([])
      const places = (await list()).map(({ key }) => key.noticedAt)
      expect(new Set(places).size).toBe(12)
      expect(Math.min(...places)).toBeGreaterThan(clock.now())
    })

    test('asks for as many statements, however many are added or withdrawn', async () => {
      await using world = await openWorld()
      const { me, engagement, notifications, users, write, unread, countStatements } = world
      const fans = await signUpAll(users, ...Array.from({ length: 30 }, (_, at) => `fan${at}`))
      const likes: NewNotification[] = []
      for (const fan of fans) {
        const post = await write(me.id)
        await engagement.like(fan.id, post)
        const like = newFollow(world, fan.id)
        likes.push({ ...like, kind: 'like', subject: post, post })
      }
      const one = await countStatements(() => notifications.add(likes.slice(0, 1)))
      const many = await countStatements(() => notifications.add(likes.slice(1)))
      expect(many).toBe(one)
      const gone = likes.map(({ kind, actor, subject }) => ({
        kind,
        actor,
        subject,
        recipient: null,
      }))
      const few = await countStatements(() => notifications.withdraw(gone.slice(0, 1)))
      expect(await unread()).toBe(29)
      expect(await countStatements(() => notifications.withdraw(gone))).toBe(few)
      expect(await unread()).toBe(0)
    })
  })
}

const DAY = 24 * 3600 * 1000

/** That `actor` follows `me`, now. */
function newFollow(
  { me, clock }: { readonly me: { readonly id: UserId }; readonly clock: ManualClock },
  actor: UserId,
): NewNotification {
  return {
    recipient: me.id,
    kind: 'follow',
    actor,
    subject: 0,
    post: 0,
    at: clock.now(),
    isLate: false,
  }
}
