import { type Dialect, MysqlAdapter, MysqlDialect, type MysqlPool } from 'kysely'
import type { SqlTraits } from '../sql/dialect'
import { isTransientMysqlError, mysqlDuplicateIndex } from './errors'

export interface MysqlDialectOptions {
  readonly pool: MysqlPool
  readonly onRetry: () => void
}

/** Kysely's MySQL dialect, carrying what the one query code must know of MySQL. */
export function createMysqlDialect({ pool, onRetry }: MysqlDialectOptions): Dialect {
  const dialect = new MysqlDialect({ pool })
  return {
    createAdapter: () => new MysqlTraitsAdapter(onRetry),
    createDriver: () => dialect.createDriver(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  }
}

class MysqlTraitsAdapter extends MysqlAdapter implements SqlTraits {
  readonly kind = 'mysql'

  constructor(readonly onRetry: () => void) {
    super()
  }

  isTransient(error: unknown): boolean {
    return isTransientMysqlError(error)
  }

  duplicateIndex(error: unknown): string | null {
    return mysqlDuplicateIndex(error)
  }
}
