import { describe, expect, test } from 'bun:test'
import { copyFile, mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { OperatorError } from '../../errors/operator-error'
import { postIds, postRow } from '../../testing/post-rows'
import { temporaryFolder } from '../../testing/temporary-folder'
import { echoTo, transact } from '../sql/database'
import { openSqliteDatabase, type SqliteDatabase } from './database'

describe('openSqliteDatabase', () => {
  test('makes the file and its folder, and finds everything again', async () => {
    await using dir = await temporaryFolder()
    const path = join(dir.path, 'deep', 'er', 'sns.db')
    {
      await using database = await openSqliteDatabase({ path })
      await database.db
        .insertInto('posts')
        .values(postRow(2 ** 53 - 1, 'ㅎㅇ 👩‍👩‍👧'))
        .execute()
    }
    await using again = await openSqliteDatabase({ path })
    const rows = await again.db.selectFrom('posts').selectAll().execute()
    expect(rows).toEqual([postRow(2 ** 53 - 1, 'ㅎㅇ 👩‍👩‍👧')])
  })

  test('says in one line what is wrong with the path', async () => {
    await using dir = await temporaryFolder()
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

  test('keeps all that it acknowledged when the process is killed', async () => {
    await using dir = await temporaryFolder()
    const path = join(dir.path, 'sns.db')
    const script = join(dir.path, 'writer.ts')
    await writeFile(
      script,
      `import { openSqliteDatabase } from ${JSON.stringify(join(import.meta.dir, 'database'))}
       const { db } = await openSqliteDatabase({ path: ${JSON.stringify(path)} })
       for (let id = 1; ; id++) {
         await db.insertInto('posts').values({ ...${JSON.stringify(postRow(0))}, id }).execute()
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

  test('begins a new WAL, so that nothing stands behind what a crash left in the old one', async () => {
    await using dir = await temporaryFolder()
    const path = join(dir.path, 'sns.db')
    const left = join(dir.path, 'left.db')
    {
      await using database = await openSqliteDatabase({ path })
      await database.db.insertInto('posts').values(postRow(1)).execute()
      for (const suffix of ['', '-wal']) await copyFile(path + suffix, left + suffix)
    }
    expect((await stat(`${left}-wal`)).size).toBeGreaterThan(0)
    await using again = await openSqliteDatabase({ path: left, migrate: false })
    expect((await stat(`${left}-wal`)).size).toBe(0)
    expect(await postIds(again)).toEqual([1])
  })

  test('can be opened by several at once while its tables are made', async () => {
    await using dir = await temporaryFolder()
    const path = join(dir.path, 'sns.db')
    const databases = await Promise.all(
      Array.from({ length: 5 }, () => openSqliteDatabase({ path })),
    )
    for (const [index, { db }] of databases.entries()) {
      await db.insertInto('posts').values(postRow(index)).execute()
    }
    for (const database of databases) expect(await postIds(database)).toEqual([0, 1, 2, 3, 4])
    for (const database of databases) await database[Symbol.asyncDispose]()
  })

  test('also lives in memory alone', async () => {
    await using database = await openSqliteDatabase({ path: ':memory:' })
    await transact(database.db, async (tx) => {
      await tx.insertInto('posts').values(postRow(1)).execute()
    })
    expect(await postIds(database)).toEqual([1])
  })

  test('outlives more statements than it keeps prepared', async () => {
    await using database = await openSqliteDatabase({ path: ':memory:' })
    for (let n = 1; n <= 900; n++) {
      const ids = Array.from({ length: n % 450 || 1 }, (_, index) => postRow(index).id)
      await database.db.selectFrom('posts').select('id').where('id', 'in', ids).execute()
    }
    await database.db.insertInto('posts').values(postRow(1)).execute()
    expect(await postIds(database)).toEqual([1])
  })

  test('forgets statistics at the start, so that plans depend on the query alone', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'sns.db')
    const tables = async ({ db }: SqliteDatabase) =>
      (await sql<{ name: string }>`select name from sqlite_master`.execute(db)).rows.map(
        ({ name }) => name,
      )
    {
      await using database = await openSqliteDatabase({ path })
      await sql`analyze`.execute(database.db)
      expect(await tables(database)).toContain('sqlite_stat1')
    }
    await using database = await openSqliteDatabase({ path })
    expect(await tables(database)).not.toContain('sqlite_stat1')
  })

  test('logs statements without what people wrote', async () => {
    const lines: unknown[] = []
    const echo = { info: (line: unknown) => lines.push(line) }
    await using database = await openSqliteDatabase({
      path: ':memory:',
      onStatement: echoTo(echo as never),
    })
    await database.db.insertInto('posts').values(postRow(1, 'a secret')).execute()
    expect(JSON.stringify(lines)).toContain('insert into \\"posts\\"')
    expect(JSON.stringify(lines)).not.toContain('a secret')
  })
})
