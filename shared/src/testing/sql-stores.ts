import { createSqlGraphStore } from '../adapters/sql/graph-store'
import { createIdGenerator, type FollowId, type Id, type IdGenerator } from '../domain/id'
import { createSqlStores } from '../runtime/sql-stores'
import { createManualClock } from './manual-clock'
import { openTestDatabase, type TestDatabase } from './sql-database'

/** The stores of accounts, sessions and the graph over a database of their own. */
export async function openTestStores(kind: TestDatabase['kind']) {
  const database = await openTestDatabase(kind)
  const { db } = database
  const clock = createManualClock()
  const ids = createIdGenerator({ clock })
  return {
    database,
    clock,
    ...createSqlStores(db, { clock, ids }),
    withStuckIds: (id: FollowId) => createSqlGraphStore(db, { clock, ids: stuckAt(id) }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

function stuckAt(id: number): IdGenerator {
  return { next: <Kind extends string>() => id as Id<Kind> }
}
