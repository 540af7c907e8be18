import { createSqliteSearchIndex } from '@sns/shared/adapters/sqlite/search-index'
import { migrateSqliteSearch } from '@sns/shared/adapters/sqlite/search-tables'
import { systemClock } from '@sns/shared/domain/clock'
import { openTestDatabase } from '@sns/shared/testing/sql-database'
import { laggingSearchConformance } from '../../testing/lagging-search-conformance'

laggingSearchConformance('FTS5', {
  exact: true,
  runs: 40,
  async open() {
    const database = await openTestDatabase('sqlite')
    await migrateSqliteSearch({ db: database.db, clock: systemClock })
    return {
      index: createSqliteSearchIndex({ db: database.db, clock: systemClock }),
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    }
  },
})
