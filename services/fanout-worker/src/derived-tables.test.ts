import { describe, expect, test } from 'bun:test'
import type { CommentId, PostId, UserId } from '@sns/shared/domain/id'
import type { ChangeEvent } from '@sns/shared/events/change-event'
import type { CapturedTable } from '@sns/shared/events/tables'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import type { Hint } from '@sns/shared/ports/freshness'
import { signUpAll } from '@sns/shared/testing/people'
import { openTestStores } from '@sns/shared/testing/sql-database'
import fc from 'fast-check'
import { createDerivedTables, type DerivedTablesDeps } from './derived-tables'

const DAY = 24 * 3600 * 1000

/** Stores with the worker on them; the log is what the triggers wrote. */
async function openWorld() {
  const stores = await openTestStores('sqlite')
  const { db } = stores.database
  const { users, posts, engagement, notifications, tags, clock, ids } = stores
  const [me, ann, bob] = await signUpAll(users, 'me', 'ann', 'bob')
  const hints: Hint[] = []

  /** The changes from `from` on, as a consumer gets them. */
  async function changes(from = 0): Promise<ChangeEvent[]> {
    const rows = await db
      .selectFrom('change_log')
      .selectAll()
      .where('seq', '>', from)
      .orderBy('seq')
      .execute()
    return rows.map(
      (row) =>
        ({
          op: row.op,
          before: row.before === null ? null : JSON.parse(row.before),
          after: row.after === null ? null : JSON.parse(row.after),
          source: { table: row.table_name as CapturedTable },
          ts_ms: row.ts_ms,
          transaction: null,
        }) as unknown as ChangeEvent,
    )
  }

  const handle = (...batches: readonly (readonly ChangeEvent[])[]) => handleWith({}, batches)

  async function handleWith(
    deps: Partial<DerivedTablesDeps>,
    batches: readonly (readonly ChangeEvent[])[],
  ): Promise<void> {
    const consumer = createDerivedTables(
      {
        ...stores,
        changeLog: {
          async consume({ handle, tables, signal }) {
            for (const batch of batches) {
              const mine = batch.filter(({ source }) => tables.includes(source.table as never))
              await handle(mine as never[], signal)
            }
          },
          backlog: async () => 0,
        },
        hints: { hint: async (given) => void hints.push(...given) },
        metrics: createMetrics(),
        logger: createLogger('test', 'silent'),
        ...deps,
      },
      { group: 'test' },
    )
    await consumer.run(new AbortController().signal)
  }

  return {
    ...stores,
    me,
    ann,
    bob,
    hints,
    changes,
    handle,
    handleWith,
    async write(author: UserId, text: string) {
      const id = ids.next<'post'>()
      return (await posts.create({ id, authorId: author, text, idempotencyKey: null })).body.id
    },
    async say(author: UserId, postId: PostId, text: string) {
      const id = ids.next<'comment'>()
      return (
        await engagement.comment({ id, postId, authorId: author, text, idempotencyKey: null })
      ).comment.id
    },
    async told(user: UserId) {
      const { items } = await notifications.list(user, { before: null, limit: 100 })
      return items.map(({ kind, actor, text }) => `${kind} ${actor.id} ${text}`).sort()
    },
    tagged: (tag: string) => tags.postIds(tag, 1 as UserId, { before: null, limit: 100 }),
    clock,
  }
}

describe('notifications', () => {
  test('tell of follows, likes, comments and mentions, each to whom it is for', async () => {
    await using world = await openWorld()
    const { me, ann, bob, graph, engagement, write, say, handle, changes, told } = world
    await graph.follow(ann.id, me.id)
    const mine = await write(me.id, 'mine')
    await engagement.like(ann.id, mine)
    await engagement.like(me.id, mine)
    await say(bob.id, mine, `to @${me.username} and @${ann.username}`)
    await write(bob.id, `@${me.username.toUpperCase()} @${bob.username} @nobody_at_all`)
    await handle(await changes())
    const text = `to @${me.username} and @${ann.username}`
    expect(await told(me.id)).toEqual(
      [
        `follow ${ann.id} null`,
        `like ${ann.id} mine`,
        `comment ${bob.id} ${text}`,
        `mention ${bob.id} @${me.username.toUpperCase()} @${bob.username} @nobody_at_all`,
      ].sort(),
    )
    expect(await told(ann.id)).toEqual([`mention ${bob.id} ${text}`])
    expect(await told(bob.id)).toEqual([])
    expect(new Set(world.hints.map((hint) => hint.kind === 'notified' && hint.user))).toEqual(
      new Set([me.id, ann.id]),
    )
  })

  test('go to nobody whose name is a part of a longer one, of an address or of a link', async () => {
    await using world = await openWorld()
    const { me, bob, write, say, handle, changes, told } = world
    const name = me.username
    const texts = [`@${name}é`, `@${name}-lee`, `@${name}.bsky.social`, `@${name}@pods.example`]
    for (const text of [...texts, `foo+@${name}.com`, `https://ex.com/?u=@${name}`]) {
      await say(bob.id, await write(bob.id, text), text)
    }
    await write(bob.id, `@${name}님이`)
    await handle(await changes())
    expect(await told(me.id)).toEqual([`mention ${bob.id} @${name}님이`])
  })

  test('follow an edit: who is named no longer is told no longer, who is named now is', async () => {
    await using world = await openWorld()
    const { me, ann, bob, posts, write, handle, changes, told } = world
    const post = await write(bob.id, `@${me.username} hello`)
    await handle(await changes())
    await posts.edit(post, bob.id, `@${ann.username} hello`)
    await handle(await changes())
    expect([await told(me.id), await told(ann.id)]).toEqual([
      [],
      [`mention ${bob.id} @${ann.username} hello`],
    ])
    await posts.delete(post, bob.id)
    await handle(await changes())
    expect([await told(me.id), await told(ann.id)]).toEqual([[], []])
  })

  test('of what went and came again in one batch are told, of what came and went are not', async () => {
    await using world = await openWorld()
    const { me, ann, bob, graph, engagement, write, handle, changes, told } = world
    const mine = await write(me.id, 'mine')
    await engagement.like(ann.id, mine)
    await handle(await changes())
    const from = (await changes()).length
    await engagement.unlike(ann.id, mine)
    await engagement.like(ann.id, mine)
    await graph.follow(bob.id, me.id)
    await graph.unfollow(bob.id, me.id)
    await handle((await changes()).slice(from))
    expect(await told(me.id)).toEqual([`like ${ann.id} mine`])
  })

  test('of long ago stand where they belong and ring no bell; of too long ago, nowhere', async () => {
    await using world = await openWorld()
    const { me, ann, bob, graph, clock, notifications, handle, changes, told } = world
    await graph.follow(ann.id, me.id)
    const at = clock.now()
    clock.advance(2 * DAY)
    await graph.follow(bob.id, me.id)
    await handle(await changes())
    const { items } = await notifications.list(me.id, { before: null, limit: 9 })
    expect(items.map(({ actor, key }) => [actor.id, key.noticedAt])).toEqual([
      [bob.id, clock.now() + 1],
      [ann.id, at],
    ])
    await notifications.prune(clock.now() + 2)
    clock.advance(100 * DAY)
    await handle(await changes())
    expect(await told(me.id)).toEqual([])
    expect(world.hints).toEqual([{ kind: 'notified', user: me.id }])
  })
})

test('a batch that comes late is above what was read meanwhile, and is told', async () => {
  await using world = await openWorld()
  const { me, ann, bob, graph, users, notifications, write, handle, handleWith, changes } = world
  await write(ann.id, `hello @${me.username}`)
  const late = await changes()
  const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const slow = handleWith(
    {
      users: {
        async findIdsByUsername(names) {
          asked.resolve()
          await answer.promise
          return users.findIdsByUsername(names)
        },
      },
    },
    [late],
  )
  await asked.promise
  // The quicker one is noticed later, and committed first.
  world.clock.advance(5)
  await graph.follow(bob.id, me.id)
  await handle((await changes()).slice(late.length))
  const [newest] = (await notifications.list(me.id, { before: null, limit: 1 })).items
  await notifications.markRead(me.id, newest!.key)
  world.hints.length = 0
  answer.resolve()
  await slow
  const { items } = await notifications.list(me.id, { before: null, limit: 9 })
  expect(items.map(({ kind, isRead }) => [kind, isRead])).toEqual([
    ['mention', false],
    ['follow', true],
  ])
  expect(await notifications.countUnread(me.id, 9)).toBe(1)
  expect(world.hints).toEqual([{ kind: 'notified', user: me.id }])
})

test('whoever is hinted at finds the notification', async () => {
  await using world = await openWorld()
  const { me, ann, graph, told, changes, handleWith } = world
  await graph.follow(ann.id, me.id)
  const found: unknown[] = []
  const hints = {
    async hint(given: readonly Hint[]) {
      for (const each of given) if (each.kind === 'notified') found.push(await told(each.user))
    },
  }
  await handleWith({ hints }, [await changes()])
  expect(found).toEqual([[`follow ${ann.id} null`]])
})

test('a batch asks for as many statements, however many it names, tags and takes back', async () => {
  await using world = await openWorld()
  const { me, users, write, posts, graph, engagement, handle, changes, countStatements } = world
  const people = await signUpAll(users, ...Array.from({ length: 50 }, (_, at) => `p${at}`))
  const text = people.map(({ username }) => `@${username}`).join(' ')
  let from = 0
  const count = async (act: () => Promise<unknown>) => {
    await act()
    const all = await changes()
    const batch = all.slice(from)
    from = all.length
    return countStatements(() => handle(batch))
  }
  const first = await write(me.id, `#one @${people[0]!.username}`)
  from = (await changes()).length - 1
  const one = await count(async () => undefined)
  const written: PostId[] = []
  const many = await count(async () => {
    for (let at = 0; at < 10; at += 1) written.push(await write(me.id, `#t${at} ${text}`))
  })
  expect(many).toBe(one)
  const edit = await count(() => posts.edit(first, me.id, '#two nobody'))
  const edits = await count(async () => {
    for (const post of written) await posts.edit(post, me.id, `nobody #tag${post}`)
  })
  expect(edits).toBe(edit)
  const follow = await count(async () => {
    await graph.follow(people[0]!.id, me.id)
    await engagement.like(people[0]!.id, first)
  })
  const follows = await count(async () => {
    for (const { id } of people.slice(1)) {
      await graph.follow(id, me.id)
      await engagement.like(id, first)
    }
  })
  expect(follows).toBe(follow)
})

test('a follow, a like or a mention that is taken back and made again rings once a day', async () => {
  await using world = await openWorld()
  const { me, ann, graph, engagement, posts, clock, hints, write, handle, changes } = world
  const mine = await write(me.id, 'mine')
  const theirs = await write(ann.id, 'about nobody')
  let from = (await changes()).length
  const rings = async (act: () => Promise<unknown>) => {
    hints.length = 0
    await act()
    const all = await changes()
    const batch = all.slice(from)
    from = all.length
    for (const change of batch) await handle([change])
    return hints.length
  }
  const acts = [
    { on: () => graph.follow(ann.id, me.id), off: () => graph.unfollow(ann.id, me.id) },
    { on: () => engagement.like(ann.id, mine), off: () => engagement.unlike(ann.id, mine) },
    {
      on: () => posts.edit(theirs, ann.id, `about @${me.username}`),
      off: () => posts.edit(theirs, ann.id, 'about nobody'),
    },
  ]
  for (const { on, off } of acts) {
    expect(await rings(on)).toBe(1)
    for (let at = 0; at < 3; at += 1) {
      expect(await rings(off)).toBe(0)
      clock.advance(3_600_000)
      expect(await rings(on)).toBe(0)
    }
    expect(await world.told(me.id)).not.toEqual([])
    await rings(off)
    clock.advance(DAY)
    expect(await rings(on)).toBe(1)
  }
})

test('tags follow what a post says', async () => {
  await using world = await openWorld()
  const { ann, posts, write, handle, changes, tagged } = world
  const [one, two] = [await write(ann.id, '#말 and #Bun'), await write(ann.id, '#말')]
  await handle(await changes())
  expect([await tagged('말'), await tagged('bun')]).toEqual([[two, one], [one]])
  await posts.edit(one, ann.id, '#other')
  await posts.delete(two, ann.id)
  await handle(await changes())
  expect([await tagged('말'), await tagged('bun'), await tagged('other')]).toEqual([[], [], [one]])
})

/** What somebody does; `at` chooses among the posts and comments that are there. */
type Act = { readonly kind: (typeof KINDS)[number]; readonly by: number; readonly at: number }
const KINDS = [
  'write',
  'edit',
  'delete',
  'say',
  'unsay',
  'like',
  'unlike',
  'follow',
  'unfollow',
] as const

test('whatever happens, and however the log is cut and repeated, the tables are what a new reader makes', async () => {
  const act = fc.record({
    kind: fc.constantFrom(...KINDS),
    by: fc.nat(2),
    at: fc.nat(9),
  }) satisfies fc.Arbitrary<Act>
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { minLength: 5, maxLength: 40 }),
      fc.array(fc.nat(60), { maxLength: 6 }),
      async (acts, cuts) => {
        await using world = await openWorld()
        await live(world, acts)
        const log = await world.changes()
        // A consumer that is killed goes on from an earlier place: never later, always in order.
        let from = 0
        for (const cut of [...cuts, log.length]) {
          const until = Math.min(log.length, Math.max(from, cut))
          await world.handle(log.slice(Math.max(0, from - 5), until))
          from = until
        }
        const after = await rows(world)
        await world.database.db.deleteFrom('notifications').execute()
        await world.database.db.deleteFrom('post_tags').execute()
        for (const change of log) await world.handle([change])
        expect(after).toEqual(await rows(world))
      },
    ),
    { numRuns: 40 },
  )
})

async function live(world: Awaited<ReturnType<typeof openWorld>>, acts: readonly Act[]) {
  const { me, ann, bob, posts, engagement, graph, write, say } = world
  const people = [me, ann, bob]
  const [written, said]: [PostId[], CommentId[]] = [[], []]
  for (const { kind, by, at } of acts) {
    const [who, other] = [people[by]!, people[(by + 1 + (at % 2)) % 3]!]
    const [post, comment] = [written[at % written.length], said[at % said.length]]
    const text = ['plain', `@${other.username} #말`, `#bun @${me.username} @${ann.username}`][
      at % 3
    ]!
    await attempt(async () => {
      if (kind === 'write') written.push(await write(who.id, text))
      else if (kind === 'follow') await graph.follow(who.id, other.id)
      else if (kind === 'unfollow') await graph.unfollow(who.id, other.id)
      else if (kind === 'unsay' && comment) await engagement.deleteComment(comment, who.id)
      else if (!post) return
      else if (kind === 'edit') await posts.edit(post, who.id, text)
      else if (kind === 'delete') await posts.delete(post, who.id)
      else if (kind === 'say') said.push(await say(who.id, post, text))
      else if (kind === 'like') await engagement.like(who.id, post)
      else if (kind === 'unlike') await engagement.unlike(who.id, post)
    })
  }
}

/** What is refused, as an edit of another's post, is no act. */
async function attempt(act: () => Promise<void>): Promise<void> {
  await act().catch(() => undefined)
}

/** What readers see, and the tags. */
async function rows(world: Awaited<ReturnType<typeof openWorld>>) {
  const { me, ann, bob, told, database } = world
  const tags = await database.db
    .selectFrom('post_tags')
    .selectAll()
    .orderBy('tag')
    .orderBy('post_id')
    .execute()
  return { tags, told: [await told(me.id), await told(ann.id), await told(bob.id)] }
}
