import { join } from 'node:path'
import { type CompiledQuery, type Kysely, type KyselyPlugin, sql } from 'kysely'
import { connectMysql } from '../adapters/mysql/database'
import type { StatementListener } from '../adapters/sql/database'
import { createSqlGraphStore } from '../adapters/sql/graph-store'
import { migrate } from '../adapters/sql/migrate'
import type { Database } from '../adapters/sql/schema'
import { openSqliteDatabase } from '../adapters/sqlite/database'
import type { MysqlSettings } from '../config/program-settings'
import { createIdGenerator, type FollowId, type Id, type IdGenerator } from '../domain/id'
import { createSqlStores } from '../runtime/sql-stores'
import { createManualClock } from './manual-clock'
import { testServers, uniqueName } from './servers'
import { temporaryFolder } from './temporary-folder'

export interface TestDatabase extends AsyncDisposable {
  readonly kind: 'sqlite' | 'mysql'
  /** Empty, and migrated unless the options say otherwise. */
  readonly db: Kysely<Database>
  /** `sqlite:PATH` or `mysql://…`, for another connection or process. */
  readonly url: string
}

export interface TestDatabaseOptions {
  readonly migrated?: boolean
  readonly onStatement?: StatementListener | null
  /** The server of MySQL, as `mysql://user:password@host:port`; null: the tests' own. */
  readonly server?: string | null
}

/** A database for one test, removed when it is disposed of. MySQL needs `testServers.mysql`. */
export async function openTestDatabase(
  kind: TestDatabase['kind'],
  { migrated = true, onStatement = null, server = null }: TestDatabaseOptions = {},
): Promise<TestDatabase> {
  const options = { migrated, onStatement, server }
  return kind === 'sqlite' ? openTestSqlite(options) : openTestMysql(options)
}

async function openTestSqlite({
  migrated,
  onStatement,
}: Required<TestDatabaseOptions>): Promise<TestDatabase> {
  const folder = await temporaryFolder()
  const path = join(folder.path, 'test.db')
  const database = await openSqliteDatabase({ path, migrate: migrated, onStatement })
  return {
    kind: 'sqlite',
    db: database.db,
    url: `sqlite:${path}`,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

async function openTestMysql({
  migrated,
  onStatement,
  server,
}: Required<TestDatabaseOptions>): Promise<TestDatabase> {
  const settings = testMysqlSettings(server ?? testServers.mysql)
  const name = uniqueName('sql')
  await onServer(settings, (server) => sql`create database ${sql.id(name)}`.execute(server))
  const drop = () =>
    onServer(settings, (server) => sql`drop database if exists ${sql.id(name)}`.execute(server))
  try {
    const database = await connectMysql({ ...settings, database: name }, { onStatement })
    if (migrated) await migrate(database.db)
    return {
      kind: 'mysql',
      db: database.db,
      url: mysqlUrl({ ...settings, database: name }),
      async [Symbol.asyncDispose]() {
        await database[Symbol.asyncDispose]()
        await drop()
      },
    }
  } catch (error) {
    await drop()
    throw error
  }
}

/** The test server's settings without a database; a small pool, as many tests share the server. */
export function testMysqlSettings(address = testServers.mysql): MysqlSettings {
  if (!address) throw new Error('TEST_DATABASE_URL is not set')
  const url = new URL(address)
  return {
    kind: 'mysql',
    host: url.hostname,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: '',
    tls: null,
    poolSize: 6,
    echo: false,
  }
}

function mysqlUrl({ host, port, user, password, database }: MysqlSettings): string {
  return `mysql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${database}`
}

async function onServer(settings: MysqlSettings, work: (db: Kysely<Database>) => Promise<unknown>) {
  await using server = await connectMysql(settings)
  await work(server.db)
}

/** The stores of accounts, sessions and the graph on a new database. */
export async function openTestStores(kind: TestDatabase['kind']) {
  const database = await openTestDatabase(kind)
  const sent: CompiledQuery[] = []
  const db = database.db.withPlugin(recordStatements(database.db, sent))
  const clock = createManualClock()
  const ids = createIdGenerator({ clock })
  return {
    database,
    ids,
    clock,
    ...createSqlStores(db, { clock, ids }),
    /** The statements that the stores send for `work`. */
    async statementsOf(work: () => Promise<unknown>): Promise<readonly CompiledQuery[]> {
      const from = sent.length
      await work()
      return sent.slice(from)
    },
    async countStatements(work: () => Promise<unknown>): Promise<number> {
      const from = sent.length
      await work()
      return sent.length - from
    },
    withStuckIds: (id: FollowId) => createSqlGraphStore(db, { clock, ids: stuckAt(id) }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

/** Of those that were sent; a query within another is none of its own. */
function recordStatements(db: Kysely<Database>, sent: CompiledQuery[]): KyselyPlugin {
  const compiled = new WeakMap<object, CompiledQuery>()
  return {
    transformQuery({ node, queryId }) {
      compiled.set(queryId, db.getExecutor().compileQuery(node, queryId))
      return node
    },
    async transformResult({ result, queryId }) {
      const query = compiled.get(queryId)
      if (query) sent.push(query)
      return result
    },
  }
}

function stuckAt(id: number): IdGenerator {
  return { next: <Kind extends string>() => id as Id<Kind> }
}
