import { describe, expect, test } from 'bun:test'
import { createClient } from '@sns/api/client'
import { connectMysql } from '@sns/shared/adapters/mysql/database'
import { databaseUrl } from '@sns/shared/config/database-url'
import { eventually } from '@sns/shared/testing/eventually'
import { createServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { sql } from 'kysely'
import { freePort, spawnProgram } from '../../scripts/process/program-process'
import { signUp } from '../journey'

const CONNECTIONS = 3
/** Longer than a look at the fence is good for. */
const HELD_MS = 3_000

describe.skipIf(!hasAllTestServers)('an api whose connections to MySQL all wait', () => {
  test('answers pages from memory meanwhile, and goes on believing', async () => {
    await using names = await createServerNames()
    const migrate = spawnProgram('migrate', [], names.env)
    if ((await migrate.exited) !== 0) throw new Error(migrate.output())
    const [port, metricsPort] = [freePort(), freePort()]
    await using program = spawnProgram('start', ['api'], {
      ...names.env,
      DATABASE_POOL_SIZE: String(CONNECTIONS),
      WEB_PORT: String(port),
      METRICS_PORT: String(metricsPort),
    })
    const url = `http://127.0.0.1:${port}`
    await program.ready(url)
    const metrics = async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
    const believes = async () => /^sns_freshness_believes 1$/m.test(await metrics())
    await eventually(believes, { timeoutMs: 20_000, what: 'it believes' })

    const [writer, reader] = [await signUp(url, 'writer'), await signUp(url, 'reader')]
    await writer.client.v1.posts.post({ text: 'first' })
    await reader.client.v1.users({ username: writer.username }).follow.put()
    const feed = async () => {
      const { data } = await createClient(url, { token: reader.token }).v1.feed.get()
      return data?.items.map(({ text }) => text)
    }
    for (let n = 0; n < 3; n += 1) expect(await feed()).toEqual(['first'])

    const settings = databaseUrl(names.env.DATABASE_URL ?? '')
    if ('path' in settings) throw new Error('not a server')
    await using mysql = await connectMysql({ ...settings, kind: 'mysql', echo: false, poolSize: 1 })
    const release = Promise.withResolvers<void>()
    const locked = Promise.withResolvers<void>()
    const holding = mysql.db.transaction().execute(async (tx) => {
      await sql`select user_id from accounts where user_id = ${writer.session.user.id} for update`.execute(
        tx,
      )
      locked.resolve()
      await release.promise
    })
    await locked.promise
    let ended = 0
    const blocked = Array.from({ length: CONNECTIONS * 3 }, async () => {
      const { status } = await writer.client.v1.users({ username: reader.username }).follow.put()
      ended += 1
      return status
    })
    await eventually(async () =>
      new RegExp(`^sns_pool_connections\\{state="busy"\\} ${CONNECTIONS}$`, 'm').test(
        await metrics(),
      ),
    )
    await Bun.sleep(HELD_MS)
    expect(await feed()).toEqual(['first'])
    expect([ended, await believes()]).toEqual([0, true])
    release.resolve()
    await holding
    await Promise.all(blocked)
    expect(await feed()).toEqual(['first'])
  }, 60_000)
})
