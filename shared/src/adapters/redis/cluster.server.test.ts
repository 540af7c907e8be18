import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import slotOf from 'cluster-key-slot'
import type { PostId, UserId } from '../../domain/id'
import { createLogger } from '../../observability/logger'
import { createMetrics } from '../../observability/metrics'
import type { Change } from '../../ports/freshness'
import { eventually } from '../../testing/eventually'
import { freshnessConformance } from '../../testing/freshness-conformance'
import { createMemoryFreshnessFence } from '../../testing/memory-freshness-fence'
import { type RedisCluster, redisServerBinary, startRedisCluster } from '../../testing/redis-server'
import { uniqueName } from '../../testing/servers'
import { createRedisClusterClient } from './cluster'
import { createRedisFreshness, type RedisFreshness } from './freshness'
import { createRedisTimelineStore, timelineKey } from './timeline-store'

/** Short, so that the fence opens soon. */
const TIMES = { leaseMs: 200, pollMs: 20 }
const CLIENT_TIMES = { commandTimeoutMs: 300, connectTimeoutMs: 300, pollMs: 50 }

describe.skipIf(!redisServerBinary)('on a Redis Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startRedisCluster()
  }, 30_000)
  afterAll(() => cluster[Symbol.asyncDispose]())

  /** As many processes as asked for, with one fence. */
  async function startProcesses(count: number) {
    const opened = new AsyncDisposableStack()
    const fence = createMemoryFreshnessFence(() => performance.now())
    const prefix = uniqueName('cluster')
    const deps = { fence, logger: createLogger('test', 'silent'), metrics: createMetrics() }
    const processes = Array.from({ length: count }, () => {
      const freshness = createRedisFreshness(deps, { channel: `${prefix}:changes`, ...TIMES })
      const client = opened.use(
        createRedisClusterClient(
          { ...deps, listener: freshness.listener },
          { urls: cluster.urls, ...CLIENT_TIMES },
        ),
      )
      opened.use(freshness)
      freshness.start(client)
      const { confirmPush } = freshness
      return {
        freshness,
        client,
        timelines: createRedisTimelineStore({ client, confirmPush }, { prefix }),
      }
    })
    const allBelieve = () =>
      eventually(async () => processes.every(({ freshness }) => freshness.belief() !== null), {
        what: 'all believe',
      })
    await allBelieve()
    return { processes, prefix, allBelieve, [Symbol.asyncDispose]: () => opened.disposeAsync() }
  }

  freshnessConformance('RedisFreshness on a cluster', async () => {
    const started = await startProcesses(3)
    return {
      processes: started.processes.map(({ freshness }) => freshness),
      [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
    }
  })

  const users = Array.from({ length: 600 }, (_, index) => (index + 1) as UserId)

  async function rebuildAll(timelines: ReturnType<typeof createRedisTimelineStore>) {
    for (const user of users) {
      const token = await timelines.beginRebuild(user)
      await timelines.finishRebuild(user, token!, { ids: [], complete: true, graphVersion: 1 })
    }
  }

  test('pushes one post to timelines on all primaries, and once', async () => {
    await using started = await startProcesses(2)
    const [one, other] = started.processes
    await rebuildAll(one!.timelines)
    const post = 7 as PostId
    expect(await one!.timelines.push(post, users)).toMatchObject({
      delivered: users.length,
      absent: 0,
    })
    expect(await other!.timelines.push(post, users)).toMatchObject({ duplicate: users.length })
    for (const server of cluster.servers) {
      expect(Number(await server.command('DBSIZE'))).toBeGreaterThan(users.length / 6)
    }
    for (const user of users.slice(0, 100)) {
      const slice = await other!.timelines.read(user, { before: null, limit: 10 })
      expect(slice).toMatchObject({ state: 'ready', ids: [post] })
    }
  }, 30_000)

  test('a read on any primary has heard every change announced before it', async () => {
    await using started = await startProcesses(2)
    const [writer, reader] = started.processes
    let [heard, times] = [0, 0]
    reader!.freshness.onChange((change) => {
      if (change.kind !== 'post') return
      heard = Math.max(heard, change.post)
      times += 1
    })
    let missed = 0
    for (let post = 1; post <= 600; post += 1) {
      await writer!.freshness.announce([{ kind: 'post', post: post as PostId }])
      await reader!.timelines.read(users[post % users.length]!, { before: null, limit: 1 })
      if (heard < post) missed += 1
    }
    expect(missed).toBe(0)
    // Once on each primary: a message from another one would mostly be in time, and prove nothing.
    await reader!.freshness.barrier()
    expect(times).toBe(600 * cluster.servers.length)
  }, 30_000)

  test('follows a slot to another primary, where its timelines are built anew', async () => {
    await using started = await startProcesses(1)
    const { timelines, client } = started.processes[0]!
    await rebuildAll(timelines)
    const [from, to] = cluster.servers
    const user = users.find((each) => slotOf(timelineKey(started.prefix, each)) < 5_000)!
    const slot = slotOf(timelineKey(started.prefix, user))
    const before = client.currentRun()
    await cluster.moveSlot(slot, from, to)
    const read = () => timelines.read(user, { before: null, limit: 10 })
    // The first answers may say where the slot has gone; a window of another server is not read.
    expect(await eventually(() => read().catch(() => null))).toEqual({ state: 'absent' })
    const token = await timelines.beginRebuild(user)
    expect(await timelines.push(7 as PostId, [user])).toMatchObject({ delivered: 1 })
    const rebuilt = { ids: [5 as PostId], complete: true, graphVersion: 2 }
    expect(await timelines.finishRebuild(user, token!, rebuilt)).toBe(true)
    expect(await read()).toMatchObject({ state: 'ready', ids: [7, 5] })
    expect(client.currentRun()).toBe(before)
    await cluster.moveSlot(slot, to, from)
  }, 30_000)

  test('nobody believes while a primary is away, and a write says so before it is answered', async () => {
    await using started = await startProcesses(2)
    const [writer, reader] = started.processes
    const change: Change = { kind: 'post', post: 1 as PostId }
    await rebuildAll(writer!.timelines)
    await writer!.timelines.push(9 as PostId, users)
    const [lost] = cluster.servers
    await lost.kill()
    await writer!.freshness.announce([change])
    expect(beliefs([writer!.freshness, reader!.freshness])).toEqual([false, false])
    await lost.start()
    await started.allBelieve()
    // Windows of the time before are those of another term, on every primary.
    for (const user of users.slice(0, 50)) {
      const read = () => reader!.timelines.read(user, { before: null, limit: 1 }).catch(() => null)
      expect(await eventually(read)).toEqual({ state: 'absent' })
    }
  }, 60_000)

  test('a replica takes a lost primary’s place: another term, and no window of before is read', async () => {
    await using started = await startProcesses(2)
    const [writer, reader] = started.processes
    await rebuildAll(writer!.timelines)
    await writer!.timelines.push(9 as PostId, users)
    const [lost] = cluster.servers
    const replica = await cluster.addReplica(lost)
    await lost.kill()
    // Elected by the other primaries, after the node's time-out.
    const change: Change = { kind: 'post', post: 2 as PostId }
    await writer!.freshness.announce([change])
    expect(beliefs([writer!.freshness, reader!.freshness])).toEqual([false, false])
    await eventually(
      async () => /role:master/.test(String(await replica.command('INFO', 'replication'))),
      {
        what: 'the replica was promoted',
      },
    )
    await started.allBelieve()
    const servedByReplica = users.filter(
      (user) => slotOf(timelineKey(started.prefix, user)) < 5_000,
    )
    for (const user of servedByReplica.slice(0, 20)) {
      const read = () => reader!.timelines.read(user, { before: null, limit: 1 }).catch(() => null)
      expect(await eventually(read)).toEqual({ state: 'absent' })
    }
    // A change after that is heard at once by who reads there.
    const [user] = servedByReplica
    const heard: Change[] = []
    reader!.freshness.onChange((each) => heard.push(each))
    await writer!.freshness.announce([{ kind: 'post', post: 3 as PostId }])
    await reader!.timelines.read(user!, { before: null, limit: 1 })
    expect(heard).toContainEqual({ kind: 'post', post: 3 as PostId })

    // The old primary comes back as a replica and takes its place again.
    await lost.start()
    const follows = () =>
      lost.command('INFO', 'replication').then((info) => /master_link_status:up/.test(String(info)))
    await eventually(follows, { what: 'the old primary follows', timeoutMs: 20_000 })
    await lost.command('CLUSTER', 'FAILOVER', 'TAKEOVER')
    await eventually(async () =>
      /role:master/.test(String(await lost.command('INFO', 'replication'))),
    )
    await writer!.freshness.announce([{ kind: 'post', post: 4 as PostId }])
    // Each process notices in its own time, and stops believing in what was before.
    const believesAgain = async () => {
      await reader!.freshness.barrier()
      return reader!.freshness.belief() !== null
    }
    await eventually(believesAgain, { what: 'the reader believes in the old primary again' })
  }, 90_000)
})

function beliefs(processes: readonly RedisFreshness[]): boolean[] {
  return processes.map((process) => process.belief() !== null)
}
