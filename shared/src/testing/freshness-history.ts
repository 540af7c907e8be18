import {
  changeChannel,
  createRedisChangeAnnouncer,
  createRedisFreshness,
  type RedisFreshness,
} from '../adapters/redis/freshness'
import type { PostId } from '../domain/id'
import { createLogger } from '../observability/logger'
import { createMetrics } from '../observability/metrics'
import type { Belief, ChangeAnnouncer } from '../ports/freshness'
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
export const SERVERS = 2

/** Of all that changes, two posts are enough: loads and messages of one meet those of others. */
const POSTS = 2
/** Short, since nothing may rest on it but when all is well again. */
const REPORT_TTL_MS = 4_000
/** No trouble lasts longer: it may outlive a lease and what a report is good for. */
export const FAULT_MAX_MS = 14_000
/** What was caused must be over by then, and every lease, report and retry too. */
const SETTLE_MS = 40_000
const logger = createLogger('test', 'silent')
const metrics = createMetrics()

/** What happens next, `ms` after what happened before. */
export type Step = { readonly ms: number } & (
  | { readonly do: 'write' | 'crash'; readonly place: number }
  | { readonly do: 'pause'; readonly place: number; readonly forMs: number }
  | { readonly do: 'cut'; readonly place: number; readonly isSilent: boolean }
  /** Its next connection leads there. */
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
 * posts as the port says that one may; `staleReads` says which reads missed what was answered before
 * they began.
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
  let primary = 0
  let readsFromMemory = 0
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
    const deps = { world, process, route }
    if (place < APIS) {
      const freshness = createRedisFreshness(
        { fence: fenceBehind(database.fence, fence), logger, metrics, time: process.time },
        { channel: changeChannel('history') },
      )
      const client = createSimulatedRedisClient({ ...deps, listener: freshness.listener })
      freshness.start(client)
      return {
        process,
        database,
        route,
        client,
        api: startApi(place, freshness, database.rows.ask),
      }
    }
    const client = createSimulatedRedisClient(deps)
    const announcer = createRedisChangeAnnouncer(
      { client, fence: fenceBehind(database.fence, fence), time: process.time },
      { channel: changeChannel('history') },
    )
    void followLog(announcer, process.time.sleep)
    return { process, database, route, client, api: null }
  }

  function startApi(
    place: number,
    freshness: RedisFreshness,
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

    return {
      freshness,
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
    sleep: (ms: number) => Promise<void>,
  ): Promise<void> {
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

  /** At once, soon and when polls and leases have passed. */
  function readEverywhere(post: PostId): void {
    for (let place = 0; place < APIS; place += 1) {
      for (const withinMs of [0, 30, 600, 4_000]) {
        world.after(world.between(0, withinMs), () => request(place, 'read', post))
      }
    }
  }

  function request(place: number, kind: 'read' | 'write', post: PostId): void {
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
        // So that all of them keep what is about to change.
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
      happen(step)
    },
    /** Ends all trouble and waits until it is over. */
    async settle(): Promise<void> {
      heal()
      for (const { client } of programs) client.cut(false)
      await world.advance(SETTLE_MS)
    },
    /** The places of api processes that believe nothing. */
    unbelieving: () =>
      programs.flatMap(({ api }, place) => (api && !api.freshness.belief() ? [place] : [])),
    /** How many requests still wait, but for those that died with their process. */
    unanswered: () => [...waiting].filter((one) => !one.of.isCrashed).length,
    get readsFromMemory() {
      return readsFromMemory
    },
  }
}
