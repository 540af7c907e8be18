import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { PostId, UserId } from '../domain/id'
import type { TimelineLimits } from '../domain/timeline'
import type { RebuildToken, RebuiltTimeline, TimelineStore } from '../ports/timeline-store'
import type { CreateTimelineStoreHarness } from './timeline-store-harness'

const limits: TimelineLimits = { cap: 6, slack: 2, ttlMs: 600_000, rebuildTtlMs: 15_000 }
const users = [1, 2] as UserId[]

type Step =
  | { readonly do: 'outlive' }
  | { readonly do: 'commit'; readonly id: number }
  | { readonly do: 'deliver' | 'redeliver'; readonly pick: number }
  | { readonly do: 'begin' | 'readSql' | 'drop'; readonly user: UserId }
  | { readonly do: 'finish'; readonly user: UserId; readonly pick: number }
  | { readonly do: 'read'; readonly user: UserId; readonly before: number; readonly limit: number }

const user = fc.constantFrom(...users)
const pick = fc.nat({ max: 30 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      id: fc.integer({ min: 1, max: 60 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('deliver' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('redeliver' as const), pick }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('begin' as const), user }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('readSql' as const), user }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('finish' as const), user, pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('outlive' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), user }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      user,
      before: fc.integer({ min: 0, max: 61 }),
      limit: fc.integer({ min: 1, max: 12 }),
    }),
  },
)

/**
 * The promise that feeds are built on: commits, deliveries (late, repeated, in any order) and rebuilds
 * interleave in any order, and a ready window still holds exactly the committed ids at or above its floor,
 * except those not delivered yet.
 */
export function timelineStoreProperty(create: CreateTimelineStoreHarness): void {
  test('holds every committed id at or above its floor, in every interleaving', async () => {
    await using harness = await create(limits)
    const runs = fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
      for (const each of users) await harness.store.drop(each)
      const model = new Model(harness.store, async () => {
        for (const each of users) await harness.elapse(each, limits.rebuildTtlMs)
      })
      for (const each of steps) {
        await model.take(each)
        for (const each of users) await model.check(each)
      }
    })
    await fc.assert(runs, { numRuns: 100 })
  }, 60_000)
}

interface Rebuild {
  readonly token: RebuildToken
  sql: RebuiltTimeline | null
}

/** SQL is a set; the model keeps only the rebuilds, reads and drops that the property needs. */
class Model {
  private readonly committed = new Set<PostId>()
  private readonly undelivered = new Set<PostId>()
  private readonly rebuilds = new Map<UserId, Rebuild[]>(users.map((each) => [each, []]))
  private readonly standing = new Map<UserId, RebuildToken>()
  private readonly ready = new Map<UserId, number>()
  private version = 0

  constructor(
    private readonly store: TimelineStore,
    private readonly outliveRebuilds: () => Promise<void>,
  ) {}

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'commit': {
        const id = step.id as PostId
        if (this.committed.has(id)) return
        this.committed.add(id)
        this.undelivered.add(id)
        return
      }
      case 'deliver':
        return this.deliver(chosen([...this.undelivered], step.pick))
      case 'redeliver':
        return this.deliver(chosen([...this.committed], step.pick))
      case 'begin':
        return this.begin(step.user)
      case 'readSql':
        return this.readSql(step.user)
      case 'finish':
        return this.finish(step.user, step.pick)
      case 'outlive':
        this.standing.clear()
        return this.outliveRebuilds()
      case 'drop':
        this.standing.delete(step.user)
        this.ready.delete(step.user)
        return this.store.drop(step.user)
      case 'read':
        return this.readPage(step.user, step.before as PostId, step.limit)
    }
  }

  async check(user: UserId): Promise<void> {
    const slice = await this.store.read(user, { before: null, limit: 1_000 })
    const version = this.ready.get(user)
    expect(slice.state).toBe(version === undefined ? 'absent' : 'ready')
    if (slice.state !== 'ready') return
    expect(slice.graphVersion).toBe(version!)
    const due = this.sql().filter((id) => id >= slice.floor)
    const held = new Set(slice.ids)
    expect(slice.ids).toEqual(due.filter((id) => held.has(id)))
    expect(due.filter((id) => !held.has(id) && !this.undelivered.has(id))).toEqual([])
    expect(slice.ids.length).toBeLessThanOrEqual(limits.cap + limits.slack)
    if (slice.floor > 0) expect(slice.ids.length).toBeGreaterThanOrEqual(limits.cap)
  }

  private sql(): PostId[] {
    return [...this.committed].sort((a, b) => b - a)
  }

  private async deliver(id: PostId | undefined): Promise<void> {
    if (id === undefined) return
    const result = await this.store.push(id, users)
    this.undelivered.delete(id)
    const { delivered, absent, duplicate, belowFloor } = result
    expect(delivered + absent + duplicate + belowFloor).toBe(users.length)
    expect(absent).toBe(
      users.filter((each) => !this.ready.has(each) && !this.standing.has(each)).length,
    )
  }

  private async begin(user: UserId): Promise<void> {
    const token = await this.store.beginRebuild(user)
    expect(token === null).toBe(this.standing.has(user))
    if (token === null) return
    this.standing.set(user, token)
    this.ready.delete(user)
    this.rebuilds.get(user)?.push({ token, sql: null })
  }

  private readSql(user: UserId): void {
    const rebuild = this.rebuilds.get(user)?.find((each) => each.sql === null)
    if (!rebuild) return
    const all = this.sql()
    this.version += 1
    rebuild.sql = {
      ids: all.slice(0, limits.cap),
      complete: all.length <= limits.cap,
      graphVersion: this.version,
    }
  }

  /** Of any rebuild ever begun, so that most tokens but the last are stale. */
  private async finish(user: UserId, pick: number): Promise<void> {
    const read = this.rebuilds.get(user)?.filter((each) => each.sql !== null) ?? []
    const rebuild = pick % 2 === 0 ? read.at(-1) : chosen(read, pick)
    if (!rebuild?.sql) return
    const stands = this.standing.get(user) === rebuild.token
    expect(await this.store.finishRebuild(user, rebuild.token, rebuild.sql)).toBe(stands)
    if (!stands) return
    this.standing.delete(user)
    this.ready.set(user, rebuild.sql.graphVersion)
  }

  private async readPage(user: UserId, before: PostId, limit: number): Promise<void> {
    const all = await this.store.read(user, { before: null, limit: 1_000 })
    const page = await this.store.read(user, { before, limit })
    if (all.state !== 'ready' || page.state !== 'ready') return expect(page).toEqual(all)
    expect(page.ids).toEqual(all.ids.filter((id) => id < before).slice(0, limit))
  }
}

function chosen<T>(items: readonly T[], pick: number): T | undefined {
  return items[pick % items.length]
}
