import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { PostId, UserId } from '../../domain/id'
import { openTestDatabase, type TestDatabase } from '../../testing/sql-database'
import { prepareQuery } from './prepared-query'

let database: TestDatabase
beforeAll(async () => {
  database = await openTestDatabase('sqlite')
  const posts = Array.from({ length: 40 }, (_, i) => ({
    id: (i + 1) as PostId,
    author_id: (1 + (i % 2)) as UserId,
    text: `${i}`,
    version: 1,
    created_at: 0,
    edited_at: null,
    updated_at: 0,
  }))
  await database.db.insertInto('posts').values(posts).execute()
})
afterAll(() => database[Symbol.asyncDispose]())

test('is built once per size of the list and asked with the values of each call', async () => {
  let built = 0
  const { db } = database
  const byAuthor = prepareQuery(db, (author: UserId, ids: readonly PostId[]) => {
    built++
    return db
      .selectFrom('posts')
      .select('id')
      .where('author_id', '=', author)
      .where('id', 'in', ids)
      .where('version', '>=', 1)
      .orderBy('id')
  })
  const ask = async (author: number, ids: number[]) =>
    (await byAuthor(author as UserId, ids as PostId[])).map(({ id }) => Number(id))

  expect(await ask(1, [1, 2, 3, 5])).toEqual([1, 3, 5])
  expect(await ask(2, [1, 2, 3, 5])).toEqual([2])
  expect(await ask(2, [40])).toEqual([40])
  expect(built).toBe(1)
  const all = Array.from({ length: 40 }, (_, i) => i + 1)
  expect(await ask(1, all)).toHaveLength(20)
  expect(await ask(2, all.slice(0, 33))).toHaveLength(16)
  expect(built).toBe(2)
})
