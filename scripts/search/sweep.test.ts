import { expect, test } from 'bun:test'
import { createSqlSearchSource } from '@sns/shared/adapters/sql/search-source'
import { createSqliteSearchIndex } from '@sns/shared/adapters/sqlite/search-index'
import { migrateSqliteSearch } from '@sns/shared/adapters/sqlite/search-tables'
import type { UserId } from '@sns/shared/domain/id'
import { documentVersion } from '@sns/shared/events/change-event'
import { signUpAll } from '@sns/shared/testing/people'
import { openTestStores } from '@sns/shared/testing/sql-database'
import { sweep } from './sweep'

const GTID = '3e11fa47-71ca-11e1-9e33-c80aa9429562'
const versionAt = (sequence: number, epoch = 0) =>
  documentVersion({ source: { gtid: `${GTID}:${sequence}`, epoch }, transaction: null })

async function openWorld() {
  const stores = await openTestStores('sqlite')
  const { db } = stores.database
  await migrateSqliteSearch({ db, clock: stores.clock })
  const search = createSqliteSearchIndex({ db, clock: stores.clock })
  const [ann] = await signUpAll(stores.users, 'ann')
  const put = (id: number, sequence: number) =>
    search.apply([
      {
        op: 'index',
        version: versionAt(sequence),
        document: { kind: 'user', id: id as UserId, username: `u${id}`, displayName: 'U' },
      },
    ])
  await put(ann.id, 5)
  return { stores, search, source: createSqlSearchSource(db), ann, put }
}

test('removes what has no row and leaves the rest', async () => {
  const { stores, search, source, ann, put } = await openWorld()
  await using _ = stores
  await put(1, 6)
  await put(2, 7)
  const head = async () => ({ gtid: `${GTID}:9`, epoch: 0 })
  const pages = await Array.fromAsync(sweep({ search, source, head }, 'user'))
  expect(pages).toEqual([{ documents: 3, removed: 2 }])
  expect(await search.ids('user', 0, 10)).toEqual([ann.id])
  // What a consumer has yet to bring is older, and does not come back.
  await put(1, 6)
  expect(await search.ids('user', 0, 10)).toEqual([ann.id])
})

test('leaves what is written after it looked, in whatever order that arrives', async () => {
  const { stores, search, source, ann, put } = await openWorld()
  await using _ = stores
  await put(1, 6)
  const late = {
    ...source,
    // The row comes while it looks, and its document at once.
    async find(...args: Parameters<typeof source.find>) {
      const rows = await source.find(...args)
      await put(1, 10)
      return rows
    },
  }
  const head = async () => ({ gtid: `${GTID}:9`, epoch: 0 })
  expect(await Array.fromAsync(sweep({ search, source: late, head }, 'user'))).toEqual([
    { documents: 2, removed: 0 },
  ])
  expect((await search.ids('user', 0, 10)).toSorted((a, b) => a - b)).toEqual(
    [1, ann.id].toSorted((a, b) => a - b),
  )
})

test('a row that is written once it has looked outlives the removal, whatever the head is by then', async () => {
  const { stores, search, source, put } = await openWorld()
  await using _ = stores
  await put(1, 6)
  let sequence = 9
  const head = async () => ({ gtid: `${GTID}:${sequence}`, epoch: 0 })
  const late = {
    ...source,
    async find(...args: Parameters<typeof source.find>) {
      const rows = await source.find(...args)
      sequence = 12
      return rows
    },
  }
  expect(await Array.fromAsync(sweep({ search, source: late, head }, 'user'))).toEqual([
    { documents: 2, removed: 1 },
  ])
  // Its change of transaction 10 arrives after the removal, which is of what was so at 9.
  await put(1, 10)
  expect(await search.ids('user', 0, 10)).toContain(1)
})
