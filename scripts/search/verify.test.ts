import { describe, expect, test } from 'bun:test'
import { createSqlSearchSource } from '@sns/shared/adapters/sql/search-source'
import { createSqliteSearchIndex } from '@sns/shared/adapters/sqlite/search-index'
import { migrateSqliteSearch } from '@sns/shared/adapters/sqlite/search-tables'
import type { PostId } from '@sns/shared/domain/id'
import type { SearchDocument } from '@sns/shared/ports/search-index'
import { signUpAll } from '@sns/shared/testing/people'
import { openTestStores } from '@sns/shared/testing/sql-database'
import { type Drift, type SearchReport, verifyAll, verifySample } from './verify'

/** A database whose rows are all in its index. */
async function openWorld(posts = 5) {
  const stores = await openTestStores('sqlite')
  const { clock } = stores
  const { db } = stores.database
  const source = createSqlSearchSource(db)
  await migrateSqliteSearch({ db, clock })
  const search = createSqliteSearchIndex({ db, clock })
  const [ann] = await signUpAll(stores.users, 'ann', 'Bob')
  for (let id = 1; id <= posts; id += 1) {
    const post = { id: id as PostId, authorId: ann.id, text: `post ${id}`, idempotencyKey: null }
    await stores.posts.create(post)
  }
  const put = (documents: readonly SearchDocument[], version = 1n) =>
    search.apply(documents.map((document) => ({ op: 'index', version, document })))
  for (const kind of ['post', 'user'] as const) await put(await source.documents(kind, 0, 10_000))
  const deps = { source, search, wait: async () => {} }
  return { stores, deps, put, ann }
}

async function collect(reports: AsyncGenerator<SearchReport>) {
  const drift: Drift[] = []
  let [checked, of] = [0, 0]
  for await (const report of reports) {
    drift.push(...report.drift)
    checked += report.rows + report.documents
    of = report.of
  }
  return { drift, checked, of }
}

describe('search verify', () => {
  test('finds nothing where the index holds every row as it is', async () => {
    const { stores, deps } = await openWorld()
    await using _ = stores
    expect(await collect(verifyAll(deps))).toEqual({ drift: [], checked: 2 * (2 + 5), of: 2 + 5 })
  })

  test('goes on where a page ends', async () => {
    const { stores, deps, put } = await openWorld(2_003)
    await using _ = stores
    await put([
      { kind: 'post', id: 1_500_000 as PostId, authorId: 1 as never, text: '', createdAt: 1 },
    ])
    const { drift, checked } = await collect(verifyAll(deps))
    expect(checked).toBe(2 * (2 + 2_003) + 1)
    expect(drift).toEqual([{ kind: 'post', id: 1_500_000, what: 'extra' }])
  })

  test('names what the index lacks, has otherwise, or has without a row', async () => {
    const { stores, deps, put, ann } = await openWorld()
    await using _ = stores
    await deps.search.apply([{ op: 'delete', version: 2n, kind: 'post', id: 2 }])
    await stores.posts.edit(3 as PostId, ann.id, 'edited')
    await stores.posts.delete(4 as PostId, ann.id)
    await stores.users.updateDisplayName(ann.id, 'Ann B')
    await put([{ kind: 'user', id: 999_999_999_999 as never, username: 'x', displayName: 'x' }], 9n)
    const { drift } = await collect(verifyAll(deps))
    expect(drift).toEqual([
      { kind: 'user', id: ann.id, what: 'missing' },
      { kind: 'user', id: 999_999_999_999, what: 'extra' },
      { kind: 'post', id: 2, what: 'missing' },
      { kind: 'post', id: 3, what: 'missing' },
      { kind: 'post', id: 4, what: 'extra' },
    ])
  })

  test('takes what is on its way for no drift', async () => {
    const { stores, deps, put, ann } = await openWorld()
    await using _ = stores
    await stores.posts.edit(3 as PostId, ann.id, 'edited')
    await stores.posts.delete(4 as PostId, ann.id)
    let looks = 0
    const wait = async () => {
      looks += 1
      if (looks < 3) return
      await put(await deps.source.find('post', [3]), 2n)
      await deps.search.apply([{ op: 'delete', version: 2n, kind: 'post', id: 4 }])
    }
    expect((await collect(verifyAll({ ...deps, wait }))).drift).toEqual([])
  })

  test('leaves to the log a row that changes while it is looked at', async () => {
    const { stores, deps, ann } = await openWorld()
    await using _ = stores
    await deps.search.apply([2, 3].map((id) => ({ op: 'delete', version: 2n, kind: 'post', id })))
    let edits = 0
    const wait = async () => {
      edits += 1
      await stores.posts.edit(3 as PostId, ann.id, `edit ${edits}`)
    }
    const { drift } = await collect(verifyAll({ ...deps, wait }))
    expect(drift).toEqual([{ kind: 'post', id: 2, what: 'missing' }])
  })

  test('a sample looks at some places, and finds what is wrong there', async () => {
    const { stores, deps } = await openWorld(300)
    await using _ = stores
    const { drift, checked } = await collect(verifySample(deps, 100))
    expect(drift).toEqual([])
    expect(checked).toBeGreaterThan(0)
    expect(checked).toBeLessThan(2 * (100 + 100))
    await deps.search.apply(
      Array.from({ length: 300 }, (_, n) => ({
        op: 'delete',
        version: 2n,
        kind: 'post',
        id: n + 1,
      })),
    )
    expect((await collect(verifySample(deps, 100))).drift.length).toBeGreaterThan(0)
  })
})
