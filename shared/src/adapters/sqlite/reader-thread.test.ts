import { expect, test } from 'bun:test'
import { sql } from 'kysely'
import { codeOf } from '../../testing/error-code'
import { openTestDatabase } from '../../testing/sql-database'
import { insertAbsent } from '../sql/inserts'
import { openReaderThread } from './reader-thread'

async function openTestThread() {
  await using opened = new AsyncDisposableStack()
  const database = opened.use(await openTestDatabase('sqlite'))
  const thread = opened.use(openReaderThread(database.url.replace(/^sqlite:/, '')))
  const resources = opened.move()
  return { database, thread, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

test('a reader thread sees every commit before a statement, and writes nothing', async () => {
  await using world = await openTestThread()
  const { db } = world.thread
  for (let n = 1; n <= 20; n += 1) {
    await insertAbsent(world.database.db, 'post_tags', [{ tag: 'a', post_id: n as never }])
    const rows = await db.selectFrom('post_tags').select('post_id').execute()
    expect(rows).toHaveLength(n)
  }
  expect(await codeOf(db.deleteFrom('post_tags').execute())).toBe('store_unavailable')
  const failure = await sql`select * from absent`.execute(db).catch(String)
  expect(failure).toContain('no such table: absent')
})

test('others have their turns while it works on one statement', async () => {
  await using world = await openTestThread()
  let [turns, isOver] = [0, false]
  const turn = () => {
    turns += 1
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  const { rows } = await sql<{ n: number }>`with recursive counted (n) as
    (select 1 union all select n + 1 from counted where n < 1000000)
    select count(*) as n from counted`.execute(world.thread.db)
  isOver = true
  expect(rows).toEqual([{ n: 1_000_000 }])
  expect(turns).toBeGreaterThan(100)
})

test('what waits when it is closed is refused', async () => {
  await using world = await openTestThread()
  const { db } = world.thread
  await sql`select 1`.execute(db)
  const waiting = codeOf(
    sql`with recursive counted (n) as (select 1 union all select n + 1 from counted)
      select count(*) from counted`.execute(db),
  )
  await new Promise((resolve) => setImmediate(resolve))
  await world.thread[Symbol.asyncDispose]()
  expect(await waiting).toBe('store_unavailable')
}, 20_000)
