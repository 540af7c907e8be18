import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { LEASE_MS, type PrimaryLook } from '../../ports/freshness-fence'
import { freshnessFenceConformance } from '../../testing/freshness-fence-conformance'
import { testServers } from '../../testing/servers'
import { openTestDatabase, type TestDatabase } from '../../testing/sql-database'
import { createSqlFreshnessFence } from './freshness-fence'

describe.skipIf(!testServers.mysql)('on MySQL', () => {
  freshnessFenceConformance('SqlFreshnessFence', async () => {
    const database = await openTestDatabase('mysql')
    return {
      fence: createSqlFreshnessFence(database.db),
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    }
  })
})

describe.skipIf(!testServers.mysql)('the fence of another server of MySQL', () => {
  let database: TestDatabase
  const looks: PrimaryLook[] = []

  beforeAll(async () => {
    database = await openTestDatabase('mysql')
  })
  afterAll(() => database[Symbol.asyncDispose]())

  const openFence = () =>
    createSqlFreshnessFence(database.db, { onLook: (look) => void looks.push(look) })
  /** As after a promotion: what this server has was written for the one before. */
  const leaveToAnother = () =>
    database.db.updateTable('freshness_fence').set({ primary_server: 'another' }).execute()

  test('is closed when it is looked at, as another generation; the next opening is another term', async () => {
    const fence = openFence()
    const { generation } = await fence.read()
    expect(await fence.open('a', generation)).toBe(true)
    const before = await fence.read()
    await leaveToAnother()
    const after = await fence.read()
    expect(after).toMatchObject({ isOpen: false, server: '' })
    // The last transactions of the one before may be lost: its next numbers are never used again.
    expect(after.generation - before.generation).toBeGreaterThan(1_000)
    expect(after.term - before.term).toBeGreaterThan(1_000)
    expect(await fence.read()).toEqual(after)
    expect(await fence.open('a', before.generation)).toBe(false)
    expect(await fence.open('a', after.generation)).toBe(true)
  })

  test('all who look agree since when it is the primary; before there was another it always was', async () => {
    await using first = await openTestDatabase('mysql')
    const seen: PrimaryLook[] = []
    await createSqlFreshnessFence(first.db, { onLook: (look) => void seen.push(look) }).read()
    expect(seen.map(({ ageMs }) => ageMs)).toEqual([Number.POSITIVE_INFINITY])

    await leaveToAnother()
    looks.length = 0
    await Promise.all([openFence().read(), openFence().read(), openFence().read()])
    expect(new Set(looks.map(({ server }) => server)).size).toBe(1)
    for (const { ageMs } of looks) expect(ageMs).toBeLessThan(LEASE_MS)
    await database.db.updateTable('freshness_fence').set({ primary_since: 1 }).execute()
    await openFence().read()
    expect(looks.at(-1)?.ageMs).toBeGreaterThan(LEASE_MS)
  })
})
