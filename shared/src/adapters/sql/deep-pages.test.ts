import { expect, test } from 'bun:test'
import { CompiledQuery } from 'kysely'
import type { PostId } from '../../domain/id'
import { openTestDatabase } from '../../testing/sql-database'
import { BUSY, seedStores } from '../../testing/store-calls'
import { createSqlFeedReads } from './post-store'

test('a page of a feed of SQLite begins at both ends of its range of an author, however deep', async () => {
  const statements: CompiledQuery[] = []
  await using database = await openTestDatabase('sqlite', {
    onStatement: ({ query }) => void statements.push(query),
  })
  const { db } = database
  await seedStores(db)
  statements.length = 0
  await createSqlFeedReads(db).feedIds(BUSY, { before: 4_000 as PostId, limit: 20 })
  const searches: string[] = []
  for (const { sql, parameters } of [...statements]) {
    const explain = CompiledQuery.raw(`explain query plan ${sql}`, [...parameters])
    const { rows } = await db.executeQuery<{ detail: string }>(explain)
    searches.push(...rows.map(({ detail }) => detail).filter((detail) => /posts_/.test(detail)))
  }
  expect(searches.map((detail) => detail.replace(/^.* INDEX /, ''))).toEqual([
    'posts_author_id (author_id=? AND id<?)',
    'posts_author_id (author_id=? AND id>? AND id<?)',
  ])
})
