import {
  changeChannel,
  createRedisFreshness,
  type RedisFreshness,
} from '../adapters/redis/freshness'
import { createRedisTimelineStore } from '../adapters/redis/timeline-store'
import type { PostId, UserId } from '../domain/id'
import { createLogger } from '../observability/logger'
import { createMetrics } from '../observability/metrics'
import type { Belief, ChangeAnnouncer } from '../ports/freshness'
import type { TimelineStore } from '../ports/timeline-store'
import { createMemoryFreshnessFence } from './memory-freshness-fence'
import { createSimulatedDatabase, type DatabaseLink, fenceBehind } from './simulated-database'
import {
  createSimulatedRedisClient,
  createSimulatedServer,
  type SimulatedRoute,
} from './simulated-redis'
import {
  createSimulatedProcess,
  createSimulatedWorld,
  type SimulatedProcess,
} from './simulated-world'

/** How many api processes there are, each at a place of its own; the worker's place comes after them. */
export const APIS = 3
export const PLACES = APIS + 1
const WORKER = APIS
export const SERVERS = 2

/** Two posts are enough: loads and messages of one post interleave with those of the other. */
const POSTS = 2
/** The user whose timeline is read and pushed to. */
const READER = 1 as UserId
/** Short, since only the recovery after a fault depends on it. */
const REPORT_TTL_MS = 4_000
/** The longest fault: it may outlast a lease and the validity of a report. */
export const FAULT_MAX_MS = 14_000
/** Most reads are answered by then. */
const READ_MS = 20
/** By then every effect of a fault, lease, report and retry must be over. */
const SETTLE_MS = 40_000
const logger = createLogger('test', 'silent')
const metrics = createMetrics()

/** What happens next, `ms` after what happened before. */
export type Step = { readonly ms: number } & (
  | { readonly do: 'write' | 'crash'; readonly place: number }
  | { readonly do: 'pause'; readonly place: number; readonly forMs: number }
  | { readonly do: 'cut'; readonly place: number; readonly isSilent: boolean }
  /** The next connection of the process goes to that server. */
  | {
      readonly do: 'route'
      readonly place: number
      readonly to: number | null
      readonly forMs: number
    }
  | { readonly do: 'failOver'; readonly to: number }
  | { readonly do: 'promote' | 'restart'; readonly server: number }
  | {
      readonly do: 'database'
      readonly place: number
      /** Pooled connections fail one by one. */
      readonly of: 'rows' | 'fence'
      readonly link: DatabaseLink
      readonly forMs: number
    }
  | { readonly do: 'writeByHand' | 'turnDatabaseClock' }
)

/**
 * Some api processes and a worker of a simulated world, on the code under test. Each api process keeps
 * posts as the port says that one may, and reads the timeline of a reader for whom every entry of the
 * log is a post; the worker pushes them. `staleReads` says which reads missed what was answered, or
 * pushed, before they began.
 */
export function createFreshnessHistory(seed: number) {
  const world = createSimulatedWorld(seed)
  const servers = Array.from({ length: SERVERS }, () => createSimulatedServer(world))
  let databaseTurn = 0
  const fence = createMemoryFreshnessFence(() => world.now() + databaseTurn, REPORT_TTL_MS)
  /** What the rows say: how often each post was written. */
  const rows = new Map<PostId, number>()
  const answered = new Map<PostId, number>()
  /** Every write, for the worker. */
  const log: { readonly post: PostId; readonly version: number }[] = []
  const staleReads: string[] = []
  /** How many entries of the log are pushed: its first. */
  let pushed = 0
  let primary = 0
  let readsFromMemory = 0
  let readsFromWindows = 0
  /** The process of each request that waits. */
  const waiting = new Set<{ readonly of: SimulatedProcess }>()

  const programs = Array.from({ length: PLACES }, (_, place) => start(place))

  function commit(post: PostId): number {
    const version = (rows.get(post) ?? 0) + 1
    rows.set(post, version)
    log.push({ post, version })
    return version
  }

  function answer(post: PostId, version: number): void {
    answered.set(post, Math.max(answered.get(post) ?? 0, version))
  }

  function anyPost(): PostId {
    return Math.floor(world.between(1, POSTS + 1)) as PostId
  }

  function start(place: number) {
    const process = createSimulatedProcess(world)
    const database = {
      rows: createSimulatedDatabase(world, process),
      fence: createSimulatedDatabase(world, process),
    }
    const route: SimulatedRoute = { server: servers[primary] ?? null }
    const freshness = createRedisFreshness(
      { fence: fenceBehind(database.fence, fence), logger, metrics, time: process.time },
      { channel: changeChannel('history') },
    )
    const client = createSimulatedRedisClient({
      world,
      process,
      route,
      listener: freshness.listener,
    })
    freshness.start(client)
    const { confirmPush } = freshness
    const timelines = createRedisTimelineStore({ client, confirmPush }, { prefix: 'history' })
    if (place === WORKER) void followLog(freshness, timelines, process.time.sleep)
    const api = place === WORKER ? null : startApi(place, freshness, timelines, database.rows.ask)
    return { process, database, route, client, api }
  }

  function startApi(
    place: number,
    freshness: RedisFreshness,
    timelines: TimelineStore,
    ask: ReturnType<typeof createSimulatedDatabase>['ask'],
  ) {
    const kept = new Map<PostId, { readonly version: number; readonly under: Belief }>()
    const loads = new Set<{ readonly post: PostId; isOvertaken: boolean }>()
    freshness.onChange((change) => {
      if (change.kind !== 'post') return
      kept.delete(change.post)
      for (const load of loads) if (load.post === change.post) load.isOvertaken = true
    })

    async function load(post: PostId): Promise<number> {
      const under = freshness.belief()
      const load = { post, isOvertaken: false }
      loads.add(load)
      try {
        const version = await ask(() => rows.get(post) ?? 0)
        if (under !== null && freshness.belief() === under && !load.isOvertaken) {
          kept.set(post, { version, under })
        }
        return version
      } finally {
        loads.delete(load)
      }
    }

    async function look(post: PostId): Promise<number> {
      const isHeard = await freshness.barrier().then(
        () => true,
        () => false,
      )
      const belief = isHeard ? freshness.belief() : null
      const entry = kept.get(post)
      if (belief === null || entry?.under !== belief) return load(post)
      readsFromMemory += 1
      return entry.version
    }

    /** The timeline as a feed reads it; null where it comes from SQL. */
    async function timeline(): Promise<readonly PostId[] | null> {
      const believed = freshness.belief()
      const slice = await timelines.read(READER, { before: null, limit: log.length + 1 })
      if (believed === null || freshness.belief() !== believed) return null
      if (slice.state === 'ready') return slice.ids
      const token = await timelines.beginRebuild(READER)
      if (token === null) return null
      const ids = await ask(() => log.map((_, at) => (at + 1) as PostId).reverse())
      const rebuilt = { ids, complete: true, graphVersion: 0 }
      await timelines.finishRebuild(READER, token, rebuilt)
      return null
    }

    return {
      freshness,
      async readTimeline(): Promise<void> {
        const due = pushed
        const beganAt = world.now()
        const ids = await timeline()
        if (ids === null) return
        readsFromWindows += 1
        const shown = new Set<number>(ids)
        for (let id = 1; id <= due; id += 1) {
          if (shown.has(id)) continue
          staleReads.push(
            `place ${place} read a timeline without ${id} of ${due} from ${beganAt} on`,
          )
          return
        }
      },
      async read(post: PostId): Promise<void> {
        const due = answered.get(post) ?? 0
        const beganAt = world.now()
        const version = await look(post)
        if (version >= due) return
        staleReads.push(
          `place ${place} read ${version} of post ${post} from ${beganAt} on; ${due} was answered before`,
        )
      },
      async write(post: PostId): Promise<void> {
        const version = await ask(() => commit(post))
        await freshness.announce([{ kind: 'post', post }])
        answer(post, version)
        readEverywhere(post)
      },
    }
  }

  async function followLog(
    { announce }: ChangeAnnouncer,
    timelines: TimelineStore,
    sleep: (ms: number) => Promise<void>,
  ): Promise<void> {
    void fanOut(timelines, sleep)
    for (let at = 0; ; ) {
      await sleep(100)
      const entries = log.slice(at)
      if (entries.length === 0) continue
      await announce(entries.map(({ post }) => ({ kind: 'post', post }))).then(
        () => {
          // From here on reads must know, whether or not the writer was answered.
          for (const { post, version } of entries) answer(post, version)
          for (const { post } of entries) readEverywhere(post)
          at += entries.length
        },
        () => {},
      )
    }
  }

  /** A worker that was killed begins where its group is: at the first entry that is not pushed. */
  async function fanOut(
    timelines: TimelineStore,
    sleep: (ms: number) => Promise<void>,
  ): Promise<void> {
    for (;;) {
      await sleep(50)
      if (pushed === log.length) continue
      const id = pushed + 1
      await timelines.push(id as PostId, [READER]).then(
        () => {
          pushed = Math.max(pushed, id)
        },
        () => {},
      )
    }
  }

  /** At once, soon and when polls and leases have passed. */
  function readEverywhere(post: PostId): void {
    for (let place = 0; place < APIS; place += 1) {
      for (const withinMs of [0, 30, 600, 4_000]) {
        world.after(world.between(0, withinMs), () => request(place, 'read', post))
        world.after(world.between(0, withinMs), () => request(place, 'readTimeline', post))
      }
    }
  }

  function request(place: number, kind: 'read' | 'readTimeline' | 'write', post: PostId): void {
    const { process, api } = programs[place] ?? {}
    if (!process || !api) return
    process.deliver(() => {
      const one = { of: process }
      waiting.add(one)
      api[kind](post)
        .catch(() => {})
        .finally(() => waiting.delete(one))
    })
  }

  function heal(): void {
    for (const server of servers) if (!server.isUp) server.start()
    for (const { process, database, route } of programs) {
      process.resume()
      database.rows.link = 'up'
      database.fence.link = 'up'
      route.server = servers[primary] ?? null
    }
  }

  function happen(step: Step): void {
    switch (step.do) {
      case 'write': {
        const post = anyPost()
        // All of them now keep the posts that are about to change.
        for (let place = 0; place < APIS; place += 1) request(place, 'read', post)
        world.after(world.between(0, 40), () => request(step.place, 'write', post))
        return
      }
      case 'writeByHand':
        commit(anyPost())
        return
      case 'cut':
        programs[step.place]?.client.cut(step.isSilent)
        return
      case 'route': {
        const { route, client } = programs[step.place] ?? {}
        if (!route || !client) return
        route.server = step.to === null ? null : (servers[step.to] ?? null)
        client.cut(false)
        world.after(step.forMs, () => {
          route.server = servers[primary] ?? null
          client.cut(false)
        })
        return
      }
      case 'failOver': {
        primary = step.to
        servers[primary]?.promote()
        for (const { route, client } of programs) {
          route.server = servers[primary] ?? null
          // Some hear of it at once, some only when their connection ends for another reason.
          world.after(world.between(0, 3_000), () => {
            if (world.between(0, 1) < 0.7) client.cut(false)
          })
        }
        return
      }
      case 'promote':
        servers[step.server]?.promote()
        return
      case 'restart': {
        const server = servers[step.server]
        server?.stop()
        world.after(world.between(50, 2_000), () => server?.start())
        return
      }
      case 'database': {
        const database = programs[step.place]?.database[step.of]
        if (!database) return
        database.link = step.link
        world.after(step.forMs, () => {
          database.link = 'up'
        })
        return
      }
      case 'turnDatabaseClock':
        databaseTurn = world.between(-8_000, 8_000)
        return
      case 'pause': {
        const { process } = programs[step.place] ?? {}
        process?.pause()
        world.after(step.forMs, () => process?.resume())
        return
      }
      case 'crash':
        programs[step.place]?.process.crash()
        programs[step.place]?.client.cut(false)
        programs[step.place] = start(step.place)
        return
    }
  }

  return {
    staleReads,
    /** Lets the processes find each other. */
    begin: () => world.advance(5_000),
    async take(step: Step): Promise<void> {
      await world.advance(step.ms)
      if (step.do === 'write' || !('place' in step)) return happen(step)
      // What happens to a process happens in the midst of what it reads.
      for (let post = 1; post <= POSTS; post += 1) request(step.place, 'read', post as PostId)
      request(step.place, 'readTimeline', anyPost())
      await world.advance(world.between(0, READ_MS))
      happen(step)
    },
    /** Ends all faults and waits until the processes have recovered. */
    async settle(): Promise<void> {
      heal()
      for (const { client } of programs) client.cut(false)
      await world.advance(SETTLE_MS)
    },
    /** The places of the api processes without a belief. */
    unbelieving: () =>
      programs.flatMap(({ api }, place) => (api && !api.freshness.belief() ? [place] : [])),
    /** The number of requests that still wait, without those of killed processes. */
    unanswered: () => [...waiting].filter((one) => !one.of.isCrashed).length,
    get readsFromMemory() {
      return readsFromMemory
    },
    get readsFromWindows() {
      return readsFromWindows
    },
  }
}
