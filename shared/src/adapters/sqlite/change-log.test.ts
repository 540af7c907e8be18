import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { sql } from 'kysely'
import { systemClock } from '../../domain/clock'
import type { CommentId, PostId, UserId } from '../../domain/id'
import type { ChangeEvent } from '../../events/change-event'
import { documentVersion } from '../../events/change-event'
import { changeLogConformance } from '../../testing/change-log-conformance'
import { startConsumer, type TestChange } from '../../testing/change-log-harness'
import { eventually } from '../../testing/eventually'
import { createManualClock } from '../../testing/manual-clock'
import { temporaryFolder } from '../../testing/temporary-folder'
import { createSqliteChangeLog } from './change-log'
import { keepGroups, pruneLog } from './change-log-table'
import { openSqliteDatabase, type SqliteDatabase } from './database'

const MINUTE_MS = 60_000

let opened: AsyncDisposableStack
beforeEach(() => {
  opened = new AsyncDisposableStack()
})
afterEach(() => opened.disposeAsync())

changeLogConformance('SqliteChangeLog', async () => {
  await using opened = new AsyncDisposableStack()
  const database = await openIn(opened)
  const resources = opened.move()
  return {
    open: () => createSqliteChangeLog({ database, clock: systemClock }),
    async append(changes) {
      for (const change of changes) await write(database, change)
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
})

test('gives events as capture would, with versions that grow', async () => {
  const database = await open()
  await post(database, 1)
  await database.db.updateTable('posts').set({ text: 'new', version: 2 }).execute()
  await database.db.deleteFrom('posts').execute()
  const events: ChangeEvent[] = []
  const stop = new AbortController()
  await createSqliteChangeLog({ database, clock: systemClock }).consume({
    group: 'g',
    tables: ['posts'],
    maxBatch: 10,
    signal: stop.signal,
    handle: async (batch) => {
      events.push(...batch)
      stop.abort()
    },
  })
  const row = { id: 1, author_id: 5, version: 1, created_at: 1, edited_at: null, updated_at: 1 }
  const [created, updated, deleted] = events
  expect(created).toMatchObject({ op: 'c', before: null, after: { ...row, text: 'post 1' } })
  expect(updated).toMatchObject({ op: 'u', before: { text: 'post 1' }, after: { text: 'new' } })
  expect(deleted).toMatchObject({ op: 'd', before: { text: 'new' }, after: null })
  expect(created?.source).toMatchObject({ connector: 'sqlite', gtid: 'sqlite:1', epoch: 0 })
  const versions = events.map(documentVersion)
  expect(versions).toEqual(versions.toSorted((a, b) => (a < b ? -1 : 1)))
  expect(new Set(versions).size).toBe(3)
})

test('stands still before a row that does not fit its table, and says where', async () => {
  const database = await open()
  await post(database, 1)
  const { seq: _, ...row } = await database.db
    .selectFrom('change_log')
    .selectAll()
    .executeTakeFirstOrThrow()
  const after = JSON.stringify({ ...JSON.parse(row.after ?? ''), author_id: 'ann' })
  await database.db
    .insertInto('change_log')
    .values({ ...row, after })
    .execute()
  await post(database, 3)
  const log = createSqliteChangeLog({ database, clock: systemClock })
  const consumer = startConsumer(log, { group: 'g' })
  await eventually(() => consumer.retries.length >= 2)
  await consumer.stop()
  expect(consumer.done).toEqual(['posts c 1 post 1'])
  expect(String(consumer.retries[0])).toContain(
    'malformed change at seq 2 of change_log: after.author_id: Expected integer',
  )
  expect(await log.backlog('g', ['posts'])).toBe(2)
})

test('puts aside a row whose id no number holds exactly, and goes on', async () => {
  const database = await open()
  await post(database, 1)
  await database.db
    .updateTable('posts')
    .set({ id: sql`9007199254740993`, text: 'unreadable' })
    .where('id', '=', 1 as PostId)
    .execute()
  await post(database, 3)
  const log = createSqliteChangeLog({ database, clock: systemClock })
  const aside: string[] = []
  const stop = new AbortController()
  const texts: string[] = []
  const running = log.consume({
    group: 'g',
    tables: ['posts'],
    maxBatch: 1,
    signal: stop.signal,
    onPutAside: (reason) => aside.push(reason),
    async handle(events) {
      texts.push(...events.map(({ after, before }) => String((after ?? before)?.text)))
    },
  })
  await eventually(() => texts.includes('post 3'))
  stop.abort()
  await running
  expect(texts).not.toContain('unreadable')
  expect(aside.join()).toMatch(/^change at seq \d+ of change_log, posts: after\.id: /)
  expect(await log.backlog('g', ['posts'])).toBe(0)
})

test('lets one consumer of a group work and another take over', async () => {
  const database = await open()
  const first = startConsumer(createSqliteChangeLog({ database, clock: systemClock }), {
    group: 'g',
  })
  await post(database, 1)
  await eventually(() => first.done.length === 1)
  const second = startConsumer(createSqliteChangeLog({ database, clock: systemClock }), {
    group: 'g',
  })
  const third = startConsumer(createSqliteChangeLog({ database, clock: systemClock }), {
    group: 'g',
  })
  await post(database, 2)
  await eventually(() => first.done.length === 2)
  expect(second.batches).toEqual([])
  await third.stop()
  await first.stop()
  await post(database, 3)
  await eventually(() => second.done.length === 1)
  await second.stop()
  expect(second.done).toEqual(['posts c 3 post 3'])
})

test('hears of a commit at once, and finds what another process wrote by looking', async () => {
  const database = await open()
  const deaf = { db: database.db, onCommit: () => () => {} }
  const looking = startConsumer(
    createSqliteChangeLog({ database: deaf, clock: systemClock }, { pollMs: 5 }),
    { group: 'looks' },
  )
  const told = startConsumer(
    createSqliteChangeLog({ database, clock: systemClock }, { pollMs: MINUTE_MS }),
    {
      group: 'told',
    },
  )
  for (let id = 1; id <= 20; id++) {
    await post(database, id)
    await eventually(() => told.done.length === id && looking.done.length === id)
  }
  await Promise.all([told.stop(), looking.stop()])
})

test('passes over long stretches of other tables, and remembers that it did', async () => {
  const database = await open()
  await like(database, 30_000)
  await post(database, 1)
  const log = createSqliteChangeLog({ database, clock: systemClock })
  expect(await log.backlog('g', ['posts'])).toBe(1)
  const consumer = startConsumer(log, { group: 'g' })
  await eventually(() => consumer.done.length === 1)
  await eventually(async () => (await finished(database, 'g')) === 30_001)
  await like(database, 5_000, 1_000_000)
  await eventually(async () => (await finished(database, 'g')) === 35_001)
  await consumer.stop()
})

test('lets others run while it works through a long log', async () => {
  const database = await open()
  await like(database, 40_000)
  const consumer = startConsumer(createSqliteChangeLog({ database, clock: systemClock }), {
    group: 'g',
    tables: ['likes'],
    maxBatch: 500,
  })
  let turns = 0
  while (consumer.done.length < 40_000) {
    await new Promise((resolve) => setTimeout(resolve, 0))
    turns++
  }
  await consumer.stop()
  // 80 batches: whoever else has work gets a turn after each.
  expect(turns).toBeGreaterThan(10)
})

test('deletes old rows that every group has finished, and no others', async () => {
  const clock = createManualClock(Date.now())
  const database = await open()
  for (let id = 1; id <= 5; id++) await post(database, id)
  const log = createSqliteChangeLog({ database, clock }, { pollMs: 5, retainMs: 10 * MINUTE_MS })
  const behind = startConsumer(log, {
    group: 'behind',
    work: () => {
      throw new Error('later')
    },
  })
  const ahead = startConsumer(log, { group: 'ahead' })
  await eventually(() => ahead.done.length === 5 && behind.retries.length > 0)
  clock.advance(2 * MINUTE_MS)
  await post(database, 6)
  await eventually(() => ahead.done.length === 6)
  clock.advance(20 * MINUTE_MS)
  await post(database, 7)
  await eventually(() => ahead.done.length === 7)
  expect(await rowsHeld(database)).toBe(7)
  await behind.stop()
  const recovered = startConsumer(log, { group: 'behind' })
  await eventually(() => recovered.done.length === 7)
  clock.advance(2 * MINUTE_MS)
  await eventually(async () => (await rowsHeld(database)) === 0)
  await post(database, 8)
  await eventually(() => ahead.done.length === 8 && recovered.done.length === 8)
  await Promise.all([ahead.stop(), recovered.stop()])
  expect(ahead.done).toHaveLength(8)
})

describe('rows that every group has finished', () => {
  const retainMs = 60 * MINUTE_MS

  test('are kept for their hour, and go when it is over', async () => {
    const clock = createManualClock(Date.now())
    const database = await open()
    for (let id = 1; id <= 5; id++) await post(database, id)
    await finishAll(database)
    const prune = () => pruneLog(database.db, { now: clock.now(), before: clock.now() - retainMs })
    clock.advance(59 * MINUTE_MS)
    expect(await prune()).toBeFalse()
    expect(await rowsHeld(database)).toBe(5)
    clock.advance(2 * MINUTE_MS)
    await prune()
    expect(await rowsHeld(database)).toBe(0)
  })

  test('are kept by a consumer, too, for the hour that is the default', async () => {
    const clock = createManualClock(Date.now())
    const database = await open()
    const consumer = startConsumer(createSqliteChangeLog({ database, clock }, { pollMs: 5 }))
    for (let id = 1; id <= 5; id++) await post(database, id)
    await eventually(() => consumer.done.length === 5)
    clock.advance(59 * MINUTE_MS)
    // When the second has come, the look that followed the first is over.
    for (const id of [6, 7]) {
      await post(database, id)
      await eventually(() => consumer.done.length === id)
    }
    expect(await rowsHeld(database)).toBe(7)
    clock.advance(2 * MINUTE_MS)
    await eventually(async () => (await rowsHeld(database)) === 0)
    await consumer.stop()
  })

  test.each([500, 3_000])(
    'go though the clock was ahead when %d of them were written',
    async (count) => {
      const clock = createManualClock(Date.now())
      const database = await open()
      await post(database, 1)
      await like(database, count)
      await database.db
        .updateTable('change_log')
        .set({ ts_ms: clock.now() + 365 * 24 * retainMs })
        .where('seq', '>', 1)
        .execute()
      await post(database, 2)
      await finishAll(database)
      const prune = () =>
        pruneLog(database.db, { now: clock.now(), before: clock.now() - retainMs })
      await prune()
      expect(await rowsHeld(database)).toBe(count + 2)
      clock.advance(retainMs + MINUTE_MS)
      while (await prune());
      expect(await rowsHeld(database)).toBe(0)
    },
  )

  test('go though the clock was set back since the last look', async () => {
    const clock = createManualClock(Date.now() + 24 * retainMs)
    const database = await open()
    const consumer = startConsumer(
      createSqliteChangeLog({ database, clock }, { pollMs: 5, retainMs }),
    )
    await post(database, 1)
    await eventually(() => consumer.done.length === 1)
    clock.advance(-22 * retainMs)
    await eventually(async () => (await rowsHeld(database)) === 0)
    await consumer.stop()
  })
})

describe('groups that are known', () => {
  test('alone hold back what is deleted; those forgotten leave what they had not read', async () => {
    const database = await open()
    for (let id = 1; id <= 5; id++) await post(database, id)
    expect(await keepGroups(database.db, ['old.fanout', 'old.index'])).toEqual([])
    await finish(database, 'old.fanout', 5)
    await finish(database, 'old.index', 2)
    const everything = { now: Date.now(), before: Date.now() + MINUTE_MS }
    await pruneLog(database.db, everything)
    expect(await rowsHeld(database)).toBe(3)

    const forgotten = await keepGroups(database.db, ['new.fanout', 'new.index'])
    expect(forgotten.toSorted()).toEqual(['old.fanout', 'old.index'])
    await finish(database, 'new.fanout', 5)
    await pruneLog(database.db, everything)
    expect(await rowsHeld(database)).toBe(3)
    const consumer = startConsumer(createSqliteChangeLog({ database, clock: systemClock }), {
      group: 'new.index',
    })
    await eventually(() => consumer.done.length === 3)
    await consumer.stop()
    await pruneLog(database.db, everything)
    expect(await rowsHeld(database)).toBe(0)
  })

  test('keep their place when they are named again', async () => {
    const database = await open()
    for (let id = 1; id <= 5; id++) await post(database, id)
    await keepGroups(database.db, ['fanout', 'index'])
    await finish(database, 'index', 4)
    expect(await keepGroups(database.db, ['fanout', 'index'])).toEqual([])
    expect(await finished(database, 'index')).toBe(4)
  })
})

const open = () => openIn(opened)

async function openIn(stack: AsyncDisposableStack): Promise<SqliteDatabase> {
  const folder = stack.use(await temporaryFolder())
  return stack.use(await openSqliteDatabase({ path: join(folder.path, 'test.db') }))
}

/** Writes the row as the suite would, so that the triggers make the event. */
async function write({ db }: SqliteDatabase, { table, op, id, text }: TestChange): Promise<void> {
  const author_id = 5 as UserId
  const rowId = id as PostId & CommentId
  if (op === 'd') {
    await db.deleteFrom(table).where('id', '=', rowId).execute()
  } else if (op === 'u') {
    await db.updateTable(table).set({ text }).where('id', '=', rowId).execute()
  } else if (table === 'posts') {
    const row = { id: rowId, author_id, text, version: 1, created_at: id, edited_at: null }
    await db
      .insertInto('posts')
      .values({ ...row, updated_at: id })
      .execute()
  } else {
    const row = { id: rowId, author_id, text, post_id: 1 as PostId, created_at: id }
    await db.insertInto('comments').values(row).execute()
  }
}

async function post({ db }: SqliteDatabase, id: number): Promise<void> {
  await db
    .insertInto('posts')
    .values({
      id: id as PostId,
      author_id: 5 as UserId,
      text: `post ${id}`,
      version: 1,
      created_at: id,
      edited_at: null,
      updated_at: id,
    })
    .execute()
}

async function like({ db }: SqliteDatabase, count: number, from = 0): Promise<void> {
  await db.transaction().execute(async (trx) => {
    for (let n = 0; n < count; n += 500) {
      await trx
        .insertInto('likes')
        .values(
          Array.from({ length: 500 }, (_, i) => ({
            user_id: (from + n + i) as UserId,
            post_id: 1 as PostId,
            created_at: 1,
          })),
        )
        .execute()
    }
  })
}

/** As if the one group there is had read everything. */
async function finishAll(database: SqliteDatabase): Promise<void> {
  await keepGroups(database.db, ['g'])
  await finish(database, 'g', Number.MAX_SAFE_INTEGER)
}

async function finish({ db }: SqliteDatabase, group: string, seq: number): Promise<void> {
  await db.updateTable('change_offsets').set({ seq }).where('group_name', '=', group).execute()
}

async function finished({ db }: SqliteDatabase, group: string): Promise<number> {
  const row = await db
    .selectFrom('change_offsets')
    .select('seq')
    .where('group_name', '=', group)
    .executeTakeFirst()
  return row?.seq ?? 0
}

async function rowsHeld({ db }: SqliteDatabase): Promise<number> {
  const { rows } = await db
    .selectFrom('change_log')
    .select((of) => of.fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow()
  return rows
}
