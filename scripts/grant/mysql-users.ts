import {
  createMysqlSession,
  type MysqlSession,
  type SessionRow,
  textCell,
} from '@sns/cdc-indexer/capture/mysql/session'
import type { MysqlSettings } from '@sns/shared/config/program-settings'
import type { Reader } from '@sns/shared/config/settings'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type MysqlRights, mysqlRights } from './mysql-rights'

/** MySQL's longest. */
const MAX_NAME = 32
const SUFFIXES: Readonly<Record<Reader, string>> = {
  migrate: 'migrate',
  api: 'api',
  'fanout-worker': 'fanout',
  'cdc-indexer': 'indexer',
}

/** The users of the services on one database, made and changed by one who may. */
export interface MysqlUsers extends AsyncDisposable {
  nameOf(service: Reader): string
  /** Makes the user where there is none, with this password, and gives it its rights, no other. May be repeated. */
  ensure(service: Reader, password: string): Promise<void>
  /** Whether the user has this password. */
  accepts(service: Reader, password: string): Promise<boolean>
  /** Gives the user this password; with `keep`, that of before is accepted beside it until `retire`. */
  setPassword(service: Reader, password: string, keep: 'keep' | 'forget'): Promise<void>
  /** The password of before is accepted no more. */
  retire(service: Reader): Promise<void>
}

export function createMysqlUsers(server: MysqlSettings): MysqlUsers {
  const { database } = server
  const admin = createMysqlSession(server)

  const nameOf = (service: Reader) => mysqlUserName(database, service)

  return {
    nameOf,

    async ensure(service, password) {
      const user = nameOf(service)
      await admin.query("CREATE USER IF NOT EXISTS ?@'%' IDENTIFIED BY ?", [user, password])
      await settle(admin, { user, database, rights: mysqlRights(service) })
    },

    async accepts(service, password) {
      await using own = createMysqlSession({ ...server, user: nameOf(service), password })
      try {
        await own.query('SELECT 1')
        return true
      } catch (error) {
        if (error instanceof OperatorError) return false
        throw error
      }
    },

    async setPassword(service, password, keep) {
      const retained = keep === 'keep' ? ' RETAIN CURRENT PASSWORD' : ''
      await admin.query(`ALTER USER ?@'%' IDENTIFIED BY ?${retained}`, [nameOf(service), password])
    },

    async retire(service) {
      await admin.query("ALTER USER ?@'%' DISCARD OLD PASSWORD", [nameOf(service)])
    },

    [Symbol.asyncDispose]: () => admin[Symbol.asyncDispose](),
  }
}

/** Throws an `OperatorError` where it is too long. */
export function mysqlUserName(database: string, service: Reader): string {
  const name = `${database}_${SUFFIXES[service]}`
  if (name.length <= MAX_NAME) return name
  throw new OperatorError(
    `DATABASE_URL: the database's name is too long for users that are named after it: ${name} has more than ${MAX_NAME} characters`,
  )
}

interface Holder {
  readonly user: string
  readonly database: string
  readonly rights: MysqlRights
}

/** First what is missing, then what is too much: a service that runs is never without what it needs. */
async function settle(admin: MysqlSession, { user, database, rights }: Holder): Promise<void> {
  const found = await findRights(admin, user, database)
  const tables = new Set([...Object.keys(found.tables), ...Object.keys(rights.tables)])
  const pairs = [
    { on: '*.*', has: found.server, wants: rights.server },
    { on: `${await schemaName(admin, database)}.*`, has: found.database, wants: rights.database },
    ...[...tables].map((table) => ({
      on: `${quoted(database)}.${quoted(table)}`,
      has: found.tables[table] ?? [],
      wants: rights.tables[table] ?? [],
    })),
  ]
  for (const { on, has, wants } of pairs) {
    const missing = lacking(wants, has)
    if (missing.length > 0)
      await admin.query(`GRANT ${missing.join(', ')} ON ${on} TO ?@'%'`, [user])
  }
  for (const { on, has, wants } of pairs) {
    const extra = lacking(has, wants)
    if (extra.length > 0) {
      await admin.query(`REVOKE ${extra.join(', ')} ON ${on} FROM ?@'%'`, [user])
    }
  }
}

/** Those of `some` that `others` has not, column by column. */
function lacking(some: readonly string[], others: readonly string[]): readonly string[] {
  const there = new Set(others.flatMap(eachColumn))
  return some.flatMap(eachColumn).filter((right) => !there.has(right))
}

function eachColumn(right: string): readonly string[] {
  const [, verb, columns] = /^(\w+) \((.*)\)$/.exec(right) ?? []
  if (verb === undefined || columns === undefined) return [right]
  return columns.split(', ').map((column) => `${verb} (${column})`)
}

/** What the user has on the server and on this database. */
async function findRights(
  admin: MysqlSession,
  user: string,
  database: string,
): Promise<MysqlRights> {
  const ask = (table: string, columns: string, where = '') =>
    admin.query(
      `SELECT ${columns} FROM information_schema.${table}
       WHERE grantee = ?${where}`,
      [`'${user}'@'%'`, ...(where ? [database] : [])],
    )
  const onSchema = ' AND table_schema = ?'
  const server = await ask('user_privileges', 'privilege_type AS privilege')
  const whole = await ask(
    'schema_privileges',
    'privilege_type AS privilege',
    " AND REPLACE(table_schema, CHAR(92), '') = ?",
  )
  const tables = await ask(
    'table_privileges',
    'table_name AS name, privilege_type AS privilege',
    onSchema,
  )
  const columns = await ask(
    'column_privileges',
    "table_name AS name, CONCAT(privilege_type, ' (', column_name, ')') AS privilege",
    onSchema,
  )
  const privileges = (rows: readonly SessionRow[]) =>
    rows.map((row) => textCell(row, 'privilege')).filter((privilege) => privilege !== 'USAGE')
  const byTable = Map.groupBy([...tables, ...columns], (row) => textCell(row, 'name'))
  return {
    server: privileges(server),
    database: privileges(whole),
    tables: Object.fromEntries([...byTable].map(([name, rows]) => [name, privileges(rows)])),
  }
}

function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

/** Where rights on a database are given, its name is a pattern, but not on a server that may take some of them back. */
async function schemaName(admin: MysqlSession, database: string): Promise<string> {
  const [row] = await admin.query("SHOW GLOBAL VARIABLES LIKE 'partial_revokes'")
  const isLiteral = row !== undefined && textCell(row, 'Value') === 'ON'
  return quoted(isLiteral ? database : database.replaceAll('_', '\\_'))
}
