import { expect, test } from 'bun:test'
import { sleep } from '@sns/shared/async/sleep'
import {
  type RedisServer,
  redisServerBinary,
  startRedisServer,
} from '@sns/shared/testing/redis-server'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { type ApiProcess, startApiProcess } from '../api-process'
import { type Person, signUp } from '../journey'
import { createMigratedNames } from '../server-suite'
import { createFeedModel } from './feed-model'
import { createRacingClient, type RaceTally } from './racing-client'

if (hasAllTestServers && !redisServerBinary) {
  console.log('SKIPPED: no redis-server here to hang, kill and flush beneath three apis')
}

const APIS = 3
const CLIENTS = 24
const FOLLOWED = 5
const POSTS_BEFORE = 3
/** `RACE_ROUNDS=20 bun test …` for a long one. */
const ROUNDS = Number(process.env.RACE_ROUNDS ?? 1)

/** Each ends belief in its own way, in the midst of whatever is read then. */
const FAULTS: readonly ((redis: RedisServer) => Promise<void>)[] = [
  async (redis) => {
    redis.hang()
    await sleep(1_500)
    redis.goOn()
  },
  async (redis) => {
    redis.hang()
    await sleep(300)
    await redis.kill()
    await redis.start()
  },
  async (redis) => {
    await redis.command('FLUSHALL')
  },
  async (redis) => {
    await redis.kill()
    await sleep(200)
    await redis.start()
  },
  async (redis) => {
    redis.hang()
    await sleep(200)
    redis.goOn()
  },
  async (redis) => {
    redis.hang()
    await sleep(3_000)
    await redis.kill()
    await redis.start()
  },
]

test.skipIf(!hasAllTestServers || !redisServerBinary)(
  'no page lacks anything while Redis hangs, is killed and loses all, of 24 who read and write at three apis',
  async () => {
    await using names = await createMigratedNames()
    await using redis = await startRedisServer()
    await using opened = new AsyncDisposableStack()
    const env = { ...names.env, REDIS_URL: redis.url }
    const apis: ApiProcess[] = []
    for (let n = 0; n < APIS; n += 1) apis.push(opened.use(await startApiProcess(env)))
    const urls = apis.map(({ url }) => url)
    const untilAll = () => Promise.all(apis.map((api) => api.untilBelieving()))
    await untilAll()

    const model = createFeedModel()
    const tally: RaceTally = { lists: 0, pages: 0, refused: 0, written: 0, wrong: [] }
    const people: Person[] = []
    for (let n = 0; n < CLIENTS; n += 1) people.push(await signUp(urls[n % APIS] ?? '', `c${n}`))
    const clients = people.map((person, at) => {
      const followed = Array.from({ length: FOLLOWED }, (_, n) => people[(at + n + 1) % CLIENTS]!)
      return createRacingClient(person, followed, { model, urls, tally })
    })
    for (let n = 0; n < POSTS_BEFORE; n += 1) {
      await Promise.all(clients.map((client) => client.write()))
    }
    await Promise.all(clients.map((client) => client.begin()))

    let isOver = false
    const race = Promise.all(clients.map((client) => client.race(() => isOver)))
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const fault of FAULTS) {
          await Promise.race([untilAll(), race])
          // For a while from memory, so that there is something to lose.
          const from = tally.lists
          while (tally.lists < from + CLIENTS * 2 && tally.wrong.length === 0) await sleep(20)
          await fault(redis)
        }
      }
      await untilAll()
    } finally {
      isOver = true
      await race
    }
    await Promise.all(clients.map((client) => client.read('feed')))
    await Promise.all(clients.map((client) => client.read('likes')))

    const sum = async (name: string) =>
      (await Promise.all(apis.map((api) => api.metric(name)))).reduce((a, b) => a + b, 0)
    const [windows, sql] = [
      await sum('sns_feed_reads_total{source="window"}'),
      await sum('sns_feed_reads_total{source="sql"}'),
    ]
    const { wrong, ...counts } = tally
    console.log(JSON.stringify({ ...counts, windows, sql, wrong: wrong.length }))
    expect(wrong).toEqual([])
    // A race in which little is read from memory, or little without it, proves nothing.
    expect(counts.lists).toBeGreaterThan(CLIENTS * FAULTS.length * ROUNDS)
    expect(windows).toBeGreaterThan(100)
    expect(sql).toBeGreaterThan(100)
    expect(counts.written).toBeGreaterThan(CLIENTS * 4)
  },
  180_000 * ROUNDS,
)
