import type { Database } from '@sns/shared/adapters/sql/schema'
import type { Reader } from '@sns/shared/config/settings'

type Verb = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE'

/** As MySQL's GRANT writes it, of all columns of a table or of some. */
export type TableRight = Verb | `${Verb} (${string})`

/** Those that run beside each other for long; `migrate` has the whole database. */
type ServiceRights = Readonly<Partial<Record<Exclude<Reader, 'migrate'>, readonly TableRight[]>>>

/** The tables of MySQL: those of the schema that SQLite does not have alone, and those that no program reads by it. */
type MysqlTable =
  | Exclude<keyof Database, 'change_log' | 'change_offsets'>
  | 'capture_snapshots'
  | 'kysely_migration'
  | 'kysely_migration_lock'

/** What each service may do with each table. A new table needs a row here: the types and a test ask for it. */
export const TABLE_RIGHTS: Readonly<Record<MysqlTable, ServiceRights>> = {
  users: {
    api: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
    'fanout-worker': ['SELECT'],
    'cdc-indexer': ['SELECT'],
  },
  // Not the hashes of passwords.
  accounts: {
    api: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
    'fanout-worker': ['SELECT (user_id, graph_version)', 'UPDATE (graph_version)'],
  },
  posts: {
    api: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
    'fanout-worker': ['SELECT'],
    'cdc-indexer': ['SELECT'],
  },
  follows: {
    api: ['SELECT', 'INSERT', 'DELETE'],
    'fanout-worker': ['SELECT'],
    'cdc-indexer': ['SELECT'],
  },
  blocks: { api: ['SELECT', 'INSERT', 'DELETE'], 'cdc-indexer': ['SELECT'] },
  mutes: { api: ['SELECT', 'INSERT', 'DELETE'], 'cdc-indexer': ['SELECT'] },
  likes: { api: ['SELECT', 'INSERT', 'DELETE'], 'cdc-indexer': ['SELECT'] },
  comments: { api: ['SELECT', 'INSERT', 'DELETE'], 'cdc-indexer': ['SELECT'] },
  post_counts: {
    api: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
    'fanout-worker': ['SELECT'],
  },
  sessions: { api: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  refresh_tokens: { api: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  resting_usernames: { api: ['SELECT', 'INSERT', 'DELETE'] },
  account_deletions: { api: ['SELECT', 'INSERT', 'DELETE'] },
  post_deletions: { api: ['SELECT', 'INSERT', 'DELETE'] },
  idempotency_keys: { api: ['SELECT', 'INSERT', 'DELETE'] },
  imports: {},
  imported_notes: { api: ['SELECT', 'DELETE'] },
  notifications: {
    api: ['SELECT', 'DELETE'],
    'fanout-worker': ['SELECT', 'INSERT', 'UPDATE'],
  },
  notification_marks: {
    api: ['SELECT', 'UPDATE', 'DELETE'],
    'fanout-worker': ['SELECT', 'INSERT', 'UPDATE'],
  },
  post_tags: { api: ['SELECT'], 'fanout-worker': ['SELECT', 'INSERT', 'DELETE'] },
  merged_authors: {
    api: ['SELECT'],
    'fanout-worker': ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  },
  delivery_progress: { api: ['SELECT'], 'fanout-worker': ['SELECT', 'UPDATE'] },
  // Who finds another primary writes it down.
  freshness_fence: {
    api: ['SELECT', 'UPDATE'],
    'fanout-worker': ['SELECT', 'UPDATE'],
    'cdc-indexer': ['SELECT', 'UPDATE'],
  },
  freshness_processes: {
    api: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
    'fanout-worker': ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  },
  capture_checkpoint: {
    'fanout-worker': ['SELECT'],
    'cdc-indexer': ['SELECT', 'UPDATE'],
  },
  // Where Debezium publishes, consumers write down whose transactions they met.
  log_sources: {
    'fanout-worker': ['SELECT', 'INSERT', 'UPDATE'],
    'cdc-indexer': ['SELECT', 'INSERT', 'UPDATE'],
  },
  capture_snapshots: { 'cdc-indexer': ['SELECT', 'INSERT', 'UPDATE'] },
  // Whether the tables are those that the program knows.
  kysely_migration: {
    api: ['SELECT'],
    'fanout-worker': ['SELECT'],
    'cdc-indexer': ['SELECT'],
  },
  kysely_migration_lock: {},
}

/** On the database: what makes, alters, fills and repairs its tables. */
const DATABASE_RIGHTS: Readonly<Partial<Record<Reader, readonly string[]>>> = {
  migrate: [
    'SELECT',
    'INSERT',
    'UPDATE',
    'DELETE',
    'CREATE',
    'ALTER',
    'DROP',
    'INDEX',
    'REFERENCES',
  ],
}

/** On the server: `SLAVE` reads the binlog, `CLIENT` its end. */
const SERVER_RIGHTS: Readonly<Partial<Record<Reader, readonly string[]>>> = {
  migrate: ['REPLICATION CLIENT'],
  'cdc-indexer': ['REPLICATION SLAVE', 'REPLICATION CLIENT'],
}

/** What a user may do, by what it may do it with: the server, its database, a table of that. */
export interface MysqlRights {
  readonly server: readonly string[]
  readonly database: readonly string[]
  readonly tables: Readonly<Record<string, readonly string[]>>
}

export function mysqlRights(service: Reader): MysqlRights {
  const tables = Object.entries<ServiceRights>(TABLE_RIGHTS).flatMap(([table, rights]) => {
    const own = service === 'migrate' ? undefined : rights[service]
    return own ? [[table, own] as const] : []
  })
  return {
    server: SERVER_RIGHTS[service] ?? [],
    database: DATABASE_RIGHTS[service] ?? [],
    tables: Object.fromEntries(tables),
  }
}
