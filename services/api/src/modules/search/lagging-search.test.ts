import { createSqliteSearchIndex } from '@sns/shared/adapters/sqlite/search-index'
import { migrateSqliteSearch } from '@sns/shared/adapters/sqlite/search-index-tables'
import { openTestDatabase } from '@sns/shared/testing/sql-database'
import { laggingSearchSuite } from '../../testing/lagging-search-suite'

laggingSearchSuite('FTS5', {
  exact: true,
  runs: 40,
  async open() {
    const database = await openTestDatabase('sqlite')
    await migrateSqliteSearch(database.db)
    return {
      index: createSqliteSearchIndex(database.db),
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    }
  },
})
