import { Database as BunDatabase } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PostId, UserId } from '../../domain/id'
import { OperatorError } from '../../errors/operator-error'
import { isSnsError } from '../../errors/sns-error'
import { createMetrics } from '../../observability/metrics'
import { transact } from '../sql/transaction'
import { openSqliteDatabase, type SqliteDatabase } from './database'

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'sns-sqlite-'))
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

const post = (id: number, text = `post ${id}`) => ({
  id: id as PostId,
  author_id: 1 as UserId,
  text,
  version: 1,
  created_at: 1,
  edited_at: null,
  updated_at: 1,
})

async function postIds({ db }: Pick<SqliteDatabase, 'db'>): Promise<number[]> {
  return (await db.selectFrom('posts').select('id').orderBy('id').execute()).map((row) => row.id)
}

describe('openSqliteDatabase', () => {
  test('makes the file and its folder, and finds everything again', async () => {
    await using dir = await folder()
    const path = join(dir.path, 'deep', 'er', 'sns.db')
    {
      await using database = await openSqliteDatabase({ path })
      await database.db
        .insertInto('posts')
        .values(post(2 ** 53 - 1, 'ㅎㅇ 👩‍👩‍👧'))
        .execute()
    }
    await using again = await openSqliteDatabase({ path })
    const rows = await again.db.selectFrom('posts').selectAll().execute()
    expect(rows).toEqual([post(2 ** 53 - 1, 'ㅎㅇ 👩‍👩‍👧')])
  })

  test('says in one line what is wrong with the path', async () => {
    await using dir = await folder()
    await writeFile(join(dir.path, 'letter.txt'), 'Dear database, '.repeat(500))
    await mkdir(join(dir.path, 'folder.db'))
    for (const [name, pattern] of [
      ['letter.txt', /letter\.txt is not an SQLite database/],
      ['folder.db', /folder\.db cannot be opened \(.*\); check the path/],
      ['letter.txt/sns.db', /letter\.txt\/sns\.db cannot be opened/],
    ] as const) {
      const path = join(dir.path, name)
      const error = await openSqliteDatabase({ path }).catch((thrown) => thrown)
      expect(error).toBeInstanceOf(OperatorError)
      expect(error.message).toMatch(pattern)
      expect(error.message).toStartWith('DATABASE_URL: ')
      expect(error.message).not.toContain('\n')
    }
  })

  test('keeps other requests out of an open transaction, and lets reads pass it', async () => {
    await using dir = await folder()
    await using database = await openSqliteDatabase({ path: join(dir.path, 'sns.db') })
    const opened = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    const rolledBack = transact(database.db, async (tx) => {
      await tx.insertInto('posts').values(post(1)).execute()
      opened.resolve()
      await finish.promise
      expect(await tx.selectFrom('posts').select('id').execute()).toEqual([{ id: post(1).id }])
      throw new Error('changed its mind')
    }).catch((error) => error.message)
    await opened.promise
    const order: string[] = []
    const write = database.db
      .insertInto('posts')
      .values(post(2))
      .execute()
      .then(() => order.push('write'))
    const other = transact(database.db, (tx) =>
      tx.insertInto('posts').values(post(3)).execute(),
    ).then(() => order.push('transaction'))
    expect(await postIds(database)).toEqual([])
    expect(order).toEqual([])
    finish.resolve()
    expect(await rolledBack).toBe('changed its mind')
    await Promise.all([write, other])
    expect(await postIds(database)).toEqual([2, 3])
  })

  test('loses none of 500 writes that come at once', async () => {
    await using dir = await folder()
    await using database = await openSqliteDatabase({ path: join(dir.path, 'sns.db') })
    await Promise.all(
      Array.from({ length: 500 }, (_, n) =>
        n % 2
          ? database.db.insertInto('posts').values(post(n)).execute()
          : transact(database.db, async (tx) => {
              await tx.insertInto('posts').values(post(n)).execute()
              await tx
                .updateTable('posts')
                .set({ version: 2 })
                .where('id', '=', post(n).id)
                .execute()
            }),
      ),
    )
    expect(await postIds(database)).toEqual(Array.from({ length: 500 }, (_, n) => n))
  })

  test('tells of commits, and of nothing else', async () => {
    await using dir = await folder()
    await using database = await openSqliteDatabase({ path: join(dir.path, 'sns.db') })
    let commits = 0
    let visible: Promise<number[]> | null = null
    const stop = database.onCommit(() => {
      commits++
      visible = postIds(database)
    })
    await postIds(database)
    await transact(database.db, (tx) => tx.selectFrom('posts').selectAll().execute())
    await transact(database.db, async (tx) => {
      await tx.insertInto('posts').values(post(1)).execute()
      throw new Error('no')
    }).catch(() => {})
    expect(commits).toBe(0)
    await database.db.insertInto('posts').values(post(2)).execute()
    expect(commits).toBe(1)
    await transact(database.db, async (tx) => {
      await tx.insertInto('posts').values(post(3)).execute()
      await tx.insertInto('posts').values(post(4)).execute()
    })
    expect(commits).toBe(2)
    expect(await visible!).toEqual([2, 3, 4])
    stop()
    await database.db.insertInto('posts').values(post(5)).execute()
    expect(commits).toBe(2)
  })

  test('waits for a writer in another connection and goes on reading meanwhile', async () => {
    await using dir = await folder()
    const path = join(dir.path, 'sns.db')
    await using database = await openSqliteDatabase({ path })
    const other = new BunDatabase(path)
    other.run('begin immediate')
    other.run("insert into posts values (1, 1, 'theirs', 1, 1, null, 1)")
    let isWritten = false
    const writes = Promise.all([
      database.db.insertInto('posts').values(post(2)).execute(),
      transact(database.db, (tx) => tx.insertInto('posts').values(post(3)).execute()),
    ]).then(() => {
      isWritten = true
    })
    for (let n = 0; n < 50; n++) expect(await postIds(database)).toEqual([])
    expect(isWritten).toBeFalse()
    other.run('commit')
    other.close()
    await writes
    expect(await postIds(database)).toEqual([1, 2, 3])
  })

  test('gives up on a writer that does not end, and is well afterwards', async () => {
    await using dir = await folder()
    const path = join(dir.path, 'sns.db')
    const metrics = createMetrics()
    await using database = await openSqliteDatabase({ path, busyTimeoutMs: 20, metrics })
    const other = new BunDatabase(path)
    other.run('begin immediate')
    const errors = await Promise.all([
      database.db
        .insertInto('posts')
        .values(post(2))
        .execute()
        .catch((error) => error),
      transact(database.db, async () => {}).catch((error) => error),
    ])
    for (const error of errors) expect(isSnsError(error, 'store_unavailable')).toBeTrue()
    expect((await metrics.storeErrors.get()).values).toEqual([
      { labels: { store: 'sqlite' }, value: 2 },
    ])
    other.run('rollback')
    other.close()
    await database.db.insertInto('posts').values(post(4)).execute()
    expect(await postIds(database)).toEqual([4])
  })

  test('keeps all that it acknowledged when the process is killed', async () => {
    await using dir = await folder()
    const path = join(dir.path, 'sns.db')
    const script = join(dir.path, 'writer.ts')
    await writeFile(
      script,
      `import { openSqliteDatabase } from ${JSON.stringify(join(import.meta.dir, 'database'))}
       const { db } = await openSqliteDatabase({ path: ${JSON.stringify(path)} })
       for (let id = 1; ; id++) {
         await db.insertInto('posts').values({ ...${JSON.stringify(post(0))}, id }).execute()
         console.log(id)
       }`,
    )
    const writer = Bun.spawn([process.execPath, script], { stdout: 'pipe', stderr: 'inherit' })
    let output = ''
    for await (const chunk of writer.stdout) {
      output += new TextDecoder().decode(chunk)
      if (output.split('\n').length > 50) writer.kill('SIGKILL')
    }
    await writer.exited
    const acknowledged = output.split('\n').slice(0, -1).map(Number)
    expect(acknowledged.length).toBeGreaterThanOrEqual(50)
    await using database = await openSqliteDatabase({ path })
    expect(await postIds(database)).toEqual(expect.arrayContaining(acknowledged))
    expect(await database.db.selectFrom('change_log').select('seq').execute()).toHaveLength(
      (await postIds(database)).length,
    )
  })

  test('can be opened by several at once while its tables are made', async () => {
    await using dir = await folder()
    const path = join(dir.path, 'sns.db')
    const databases = await Promise.all(
      Array.from({ length: 5 }, () => openSqliteDatabase({ path })),
    )
    for (const [index, { db }] of databases.entries()) {
      await db.insertInto('posts').values(post(index)).execute()
    }
    for (const database of databases) expect(await postIds(database)).toEqual([0, 1, 2, 3, 4])
    for (const database of databases) await database[Symbol.asyncDispose]()
  })

  test('also lives in memory alone', async () => {
    await using database = await openSqliteDatabase({ path: ':memory:' })
    await transact(database.db, async (tx) => {
      await tx.insertInto('posts').values(post(1)).execute()
    })
    expect(await postIds(database)).toEqual([1])
  })

  test('outlives more statements than it keeps prepared', async () => {
    await using database = await openSqliteDatabase({ path: ':memory:' })
    for (let n = 1; n <= 900; n++) {
      const ids = Array.from({ length: n % 450 || 1 }, (_, index) => post(index).id)
      await database.db.selectFrom('posts').select('id').where('id', 'in', ids).execute()
    }
    await database.db.insertInto('posts').values(post(1)).execute()
    expect(await postIds(database)).toEqual([1])
  })

  test('logs statements without what people wrote', async () => {
    const lines: unknown[] = []
    const echo = { info: (line: unknown) => lines.push(line) }
    await using database = await openSqliteDatabase({
      path: ':memory:',
      echo: echo as never,
    })
    await database.db.insertInto('posts').values(post(1, 'a secret')).execute()
    expect(JSON.stringify(lines)).toContain('insert into \\"posts\\"')
    expect(JSON.stringify(lines)).not.toContain('a secret')
  })
})
