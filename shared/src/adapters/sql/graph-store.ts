import type { Kysely } from 'kysely'
import type { GraphStore } from '../../ports/graph-store'
import { createGraphReads } from './graph-reads'
import { createGraphWrites, type SqlGraphStoreDeps } from './graph-writes'
import type { Database } from './schema'

export function createSqlGraphStore(db: Kysely<Database>, deps: SqlGraphStoreDeps): GraphStore {
  return { ...createGraphReads(db), ...createGraphWrites(db, deps) }
}
