import { createRedisClient, type RedisClient } from '@sns/shared/adapters/redis/client'
import { createRedisTimelineStore, timelineKey } from '@sns/shared/adapters/redis/timeline-store'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import type { PostId, UserId } from '@sns/shared/domain/id'
import { TIMELINE_CAP } from '@sns/shared/domain/timeline'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import type { TimelineStore } from '@sns/shared/ports/timeline-store'
import { killAtExit } from '../process/leftovers'
import type { BenchArguments } from './arguments'
import type { Figure } from './report'

/** As the fan-out worker pushes: timelines in one call, and calls at once. */
const CHUNK = 500
const CONCURRENCY = 8
const ROUNDS = 3
/** As long as real ids are. */
const FIRST_POST = 311_296_512_000_000

/**
 * Pushes of posts to full timelines on the Redis of the settings, beside `redis-benchmark LPUSHX` to one
 * list in the same run: what one Redis can do at most. Medians of rounds that take turns.
 */
export async function benchFanout({ isQuick }: BenchArguments): Promise<readonly Figure[]> {
  if (!Bun.which('redis-benchmark')) {
    throw new OperatorError(
      'redis-benchmark is not on the PATH: it is what fan-out is compared with',
      1,
    )
  }
  const { redis } = loadSettings(environment, { role: 'fanout-worker' })
  if ('cluster' in redis) {
    throw new OperatorError(
      'REDIS_URL names a cluster: redis-benchmark is compared on one server',
      2,
    )
  }
  const timelineCount = isQuick ? 1_000 : 10_000
  const seconds = isQuick ? 1 : 5
  const prefix = `bench-fanout-${crypto.randomUUID()}`
  const deps = { logger: createLogger('bench', 'warn'), metrics: createMetrics() }
  await using client = createRedisClient(deps, redis)
  const store = createRedisTimelineStore({ client, async confirmPush() {} }, { prefix })
  const users = Array.from({ length: timelineCount }, (_, at) => (at + 1) as UserId)
  try {
    await fill(store, users)
    await client.run((connected) => connected.lpush(`${prefix}:list`, FIRST_POST))
    const ours: number[] = []
    const theirs: number[] = []
    let post = FIRST_POST
    for (let round = 0; round < ROUNDS; round += 1) {
      const nextPost = () => {
        post += 1
        return post as PostId
      }
      const pushed = await push(store, users, seconds, nextPost)
      ours.push(pushed)
      console.error(`  pushes: ${pushed.toLocaleString('en')} deliveries/s`)
      const bare = await lpushx(redis.url, prefix, isQuick)
      theirs.push(bare)
      console.error(`  LPUSHX: ${bare.toLocaleString('en')} commands/s`)
    }
    const [deliveries, commands] = [median(ours), median(theirs)]
    const bytes = await client.run((connected) =>
      connected.memory('USAGE', timelineKey(prefix, users[0] as UserId)),
    )
    return [
      { name: 'pushes to full timelines', value: deliveries, unit: 'deliveries/s' },
      { name: 'LPUSHX by redis-benchmark', value: commands, unit: 'commands/s' },
      { name: 'pushes / LPUSHX', value: Math.round((100 * deliveries) / commands) / 100, unit: '' },
      { name: 'a full timeline', value: bytes ?? 0, unit: 'bytes' },
    ]
  } finally {
    await drop(client, store, users, prefix)
  }
}

/** Rebuilds each timeline to its cap. */
async function fill(store: TimelineStore, users: readonly UserId[]): Promise<void> {
  const ids = Array.from({ length: TIMELINE_CAP }, (_, at) => (FIRST_POST - at) as PostId)
  for (let from = 0; from < users.length; from += 50) {
    await Promise.all(
      users.slice(from, from + 50).map(async (user) => {
        const token = await store.beginRebuild(user)
        if (token === null) throw new Error('a timeline of this run is being rebuilt')
        await store.finishRebuild(user, token, { ids, complete: false, graphVersion: 1 })
      }),
    )
  }
}

/** Deliveries a second while every post goes to every timeline. */
async function push(
  store: TimelineStore,
  users: readonly UserId[],
  seconds: number,
  nextPost: () => PostId,
): Promise<number> {
  const chunks = Array.from({ length: Math.ceil(users.length / CHUNK) }, (_, at) =>
    users.slice(at * CHUNK, (at + 1) * CHUNK),
  )
  let delivered = 0
  let at = 0
  let post = nextPost()
  const startedAt = performance.now()
  const deadline = startedAt + seconds * 1_000
  const worker = async () => {
    while (performance.now() < deadline) {
      if (at === chunks.length) {
        at = 0
        post = nextPost()
      }
      const chunk = chunks[at] ?? []
      at += 1
      const result = await store.push(post, chunk)
      delivered += result.delivered
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  return Math.round(delivered / ((performance.now() - startedAt) / 1_000))
}

/** Commands a second of four connections, 64 at a time, to a list that exists. */
async function lpushx(url: string, prefix: string, isQuick: boolean): Promise<number> {
  const { hostname, port, password } = new URL(url)
  const child = killAtExit(
    Bun.spawn(
      [
        ...['redis-benchmark', '-h', hostname, '-p', port || '6379'],
        ...(password ? ['-a', decodeURIComponent(password)] : []),
        ...['--csv', '-P', '64', '-c', '4', '-n', isQuick ? '200000' : '2000000'],
        ...['LPUSHX', `${prefix}:list`, String(FIRST_POST)],
      ],
      { stdout: 'pipe', stderr: 'ignore' },
    ),
  )
  const output = await new Response(child.stdout).text()
  const [, figures = ''] = output.trim().split('\n')
  const rate = Number(figures.split(',')[1]?.replaceAll('"', ''))
  if ((await child.exited) !== 0 || !(rate > 0)) throw new Error(`redis-benchmark said:\n${output}`)
  return Math.round(rate)
}

async function drop(
  client: RedisClient,
  store: TimelineStore,
  users: readonly UserId[],
  prefix: string,
): Promise<void> {
  for (const user of users) await store.drop(user)
  await client.run((connected) => connected.unlink(`${prefix}:list`))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
