import { describe, expect, test } from 'bun:test'
import mysql from 'mysql2/promise'
import { connectMysql } from '../adapters/mysql/database'
import { migrate } from '../adapters/sql/migrate'
import { loadSettings } from '../config/load-settings'
import { systemClock } from '../domain/clock'
import { createLogger } from '../observability/logger'
import { createMetrics } from '../observability/metrics'
import { signUp } from '../testing/people'
import { createServerNames } from '../testing/server-names'
import { hasAllTestServers } from '../testing/servers'
import { createBackend } from './backend'

/** More than there are connections of any kind. */
const READERS = 60

describe.skipIf(!hasAllTestServers)('connections of an api', () => {
  test('reads of feeds that wait leave writes theirs', async () => {
    await using names = await createServerNames()
    const settings = loadSettings(names.env, { role: 'api' })
    if (settings.database.kind !== 'mysql') throw new Error('needs MySQL')
    const metrics = createMetrics()
    {
      await using database = await connectMysql(settings.database, { metrics })
      await migrate(database.db)
    }
    await using backend = await createBackend(settings, {
      logger: createLogger('api', 'silent'),
      metrics,
      clock: systemClock,
    })
    const { posts, users, graph } = await backend.forApi()
    const [ann, bob] = [await signUp(users), await signUp(users)]
    await graph.follow(ann.id, bob.id)

    const barrier = await mysql.createConnection(names.env.DATABASE_URL ?? '')
    try {
      // Whoever reads whom somebody follows waits; nothing that is written below needs it.
      await barrier.query('lock tables follows write')
      const reads = Array.from({ length: READERS }, () =>
        posts.feedIds(ann.id, { before: null, limit: 20 }),
      )
      const ids = []
      for (let n = 0; n < 20; n += 1) {
        const id = backend.ids.next<'post'>()
        await posts.create({ id, authorId: bob.id, text: 'written', idempotencyKey: null })
        ids.unshift(id)
      }
      await graph.mute(bob.id, ann.id)
      const isOver = Promise.race([Promise.all(reads).then(() => true), Promise.resolve(false)])
      expect(await isOver).toBe(false)
      await barrier.query('unlock tables')
      for (const read of await Promise.all(reads)) expect(read).toEqual(ids)
    } finally {
      await barrier.end()
    }
  }, 60_000)
})
