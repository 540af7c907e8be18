import { type Dialect, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { SqlTraits } from '../sql/dialect'
import { SqliteDriver, type SqliteDriverOptions } from './driver'
import { sqliteDuplicateIndex } from './errors'

/** Kysely's SQLite dialect over bun:sqlite, with a driver that lets reads pass transactions. */
export function createSqliteDialect(options: SqliteDriverOptions): Dialect {
  return {
    createAdapter: () => new BunSqliteAdapter(),
    createDriver: () => new SqliteDriver(options),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

class BunSqliteAdapter extends SqliteAdapter implements SqlTraits {
  readonly kind = 'sqlite'

  /** The driver takes turns itself. */
  override get supportsMultipleConnections(): boolean {
    return true
  }

  override get supportsTransactionalDdl(): boolean {
    return true
  }

  /** Waiting for a lock happens before a transaction begins; none is rolled back by another. */
  isTransient(): boolean {
    return false
  }

  duplicateIndex(error: unknown): string | null {
    return sqliteDuplicateIndex(error)
  }

  onRetry(): void {}
}
