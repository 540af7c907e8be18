import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { UserId } from '../../domain/id'
import { createLogger } from '../../observability/logger'
import { createMetrics } from '../../observability/metrics'
import { eventually } from '../../testing/eventually'
import { feedTruthConformance } from '../../testing/feed-truth-conformance'
import { type MysqlPair, mysqlPairCommand, openMysqlPair } from '../../testing/mysql-pair'
import type { PostStoreHarness } from '../../testing/post-store-harness'
import { testMysqlSettings } from '../../testing/sql-database'
import { openSqlPostStores } from '../../testing/sql-post-stores'
import { createSqlFeedReads } from '../sql/post-store'
import { createReplicaReads } from './replica-reads'

describe.skipIf(mysqlPairCommand === null)('feeds read from a replica of MySQL', () => {
  const metrics = createMetrics()
  let pair: MysqlPair
  let replica: string
  beforeAll(async () => {
    pair = await openMysqlPair('pair')
    replica = pair.servers[1]!
  }, 60_000)
  afterAll(() => pair?.[Symbol.asyncDispose](), 60_000)

  /** The stores at the primary, but for ids of feeds, which a replica may give. */
  async function openStores(): Promise<PostStoreHarness> {
    const opened = new AsyncDisposableStack()
    const stores = opened.use(await openSqlPostStores('mysql', { server: pair.url }))
    const { db, url } = stores.database
    const address = { ...testMysqlSettings(replica), database: new URL(url).pathname.slice(1) }
    const reads = opened.use(
      createReplicaReads(
        { db, primary: { onMove() {} }, logger: createLogger('test', 'silent'), metrics },
        { addresses: [address], poolSize: 2 },
      ),
    )
    await eventually(isUsed, { what: 'the replica is used' })
    const feedIds: PostStoreHarness['posts']['feedIds'] = (...args) =>
      reads.read((db) => createSqlFeedReads(db).feedIds(...args))
    return {
      ...stores,
      posts: { ...stores.posts, feedIds },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  }

  async function answered(answer: 'replica' | 'primary'): Promise<number> {
    const { values } = await metrics.replicaReads.get()
    return values.find(({ labels }) => labels.answer === answer)?.value ?? 0
  }

  async function isAside(reason: string): Promise<boolean> {
    const { values } = await metrics.replicasAside.get()
    return values.some(({ labels, value }) => labels.reason === reason && value > 0)
  }

  async function isUsed(): Promise<boolean> {
    const { values } = await metrics.replicasAside.get()
    return values.every(({ value }) => value === 0)
  }

  describe('that stops again and again', () => {
    let isOver = false
    let stopping: Promise<void>
    const said = { replica: 0, primary: 0 }
    beforeAll(() => {
      stopping = stopAgainAndAgain()
    })
    afterAll(async () => {
      isOver = true
      await stopping
      expect(said.replica).toBeGreaterThan(0)
    }, 30_000)

    /** Most stops are shorter than a read waits. */
    async function stopAgainAndAgain(): Promise<void> {
      for (let turn = 1; !isOver; turn += 1) {
        await pair.run('sql', 'B', 'stop replica sql_thread')
        await Bun.sleep(turn % 8 === 0 ? 400 : 20)
        await pair.run('sql', 'B', 'start replica sql_thread')
        said.replica = await answered('replica')
        said.primary = await answered('primary')
      }
    }

    feedTruthConformance(openStores)
  })

  describe('that stays behind, or goes its own way', () => {
    let stores: PostStoreHarness
    let writer: UserId
    beforeAll(async () => {
      stores = await openStores()
      writer = (await stores.addUser()).id
    }, 60_000)
    afterAll(() => stores?.[Symbol.asyncDispose]())

    async function write(): Promise<void> {
      const id = stores.ids.next<'post'>()
      await stores.posts.create({ id, authorId: writer, text: 'x', idempotencyKey: null })
      const ids = await stores.posts.feedIds(writer, { before: null, limit: 1 })
      expect(ids).toEqual([id])
    }

    async function untilUsed(): Promise<void> {
      const before = await answered('replica')
      await eventually(
        async () => {
          await write()
          return (await answered('replica')) > before
        },
        { timeoutMs: 30_000, what: 'the replica answers' },
      )
    }

    test('the primary answers until it follows again', async () => {
      await untilUsed()
      await pair.run('lag')
      for (let n = 0; n < 3; n += 1) await write()
      expect(await isAside('behind')).toBeTrue()
      await pair.run('sql', 'B', 'start replica io_thread')
      await untilUsed()
      expect(await isAside('behind')).toBeFalse()
    }, 60_000)

    test('one that hangs, dies and comes back is used again', async () => {
      await untilUsed()
      await pair.run('pause', 'B')
      for (let n = 0; n < 3; n += 1) await write()
      expect(await isAside('unavailable')).toBeTrue()
      await pair.run('rejoin')
      await untilUsed()
      expect(await isAside('unavailable')).toBeFalse()
    }, 120_000)

    test('a transaction that the primary has not ends its use', async () => {
      await untilUsed()
      await pair.run(
        'sql',
        'B',
        'set global super_read_only = off',
        'create database errant',
        'set global super_read_only = on',
      )
      await eventually(() => isAside('diverged'), { what: 'the replica is set aside' })
      const before = await answered('replica')
      for (let n = 0; n < 3; n += 1) await write()
      expect(await answered('replica')).toBe(before)
    }, 60_000)
  })
})
