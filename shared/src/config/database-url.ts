import { isTlsParameter, type MysqlTls, mysqlTls } from './mysql-tls'
import { list, percentDecoded, SettingProblem } from './parsers'

export interface SqliteAddress {
  readonly kind: 'sqlite'
  readonly path: string
}

export interface MysqlAddress {
  readonly kind: 'mysql'
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  /** Null: not encrypted. */
  readonly tls: MysqlTls | null
}

const SQLITE = 'sqlite:PATH'
const MYSQL = 'mysql://user:password@host:port/database'

/**
 * Where the tables are. A driver suffix (`mysql+aiomysql`, `sqlite+aiosqlite`) is dropped.
 *
 * `sqlite:PATH` takes the path as it stands. Behind slashes: `sqlite:////abs` and `sqlite:///abs` are
 * absolute, `sqlite:///./rel` is relative. A database in memory would forget everything: refused.
 *
 * In `mysql://` user, password and database are percent-decoded; the port is 3306 if not given. Parameters
 * are `ssl-mode`, `ssl-ca`, `ssl-cert` and `ssl-key`, and `charset=utf8mb4`, which is always so.
 */
export function databaseUrl(text: string): SqliteAddress | MysqlAddress {
  const [, scheme, rest = ''] =
    /^([A-Za-z][A-Za-z0-9]*)(?:\+[A-Za-z0-9_]+)?:([\s\S]*)$/.exec(text) ?? []
  if (scheme === undefined) throw new SettingProblem(`expected ${SQLITE} or ${MYSQL}`)
  switch (scheme.toLowerCase()) {
    case 'sqlite':
      return { kind: 'sqlite', path: sqlitePath(rest) }
    case 'mysql':
      return mysqlAddress(rest)
    default:
      throw new SettingProblem(`there is no driver "${scheme}": expected ${SQLITE} or ${MYSQL}`)
  }
}

/** Where replicas of the tables are: a list of `mysql://` URLs. */
export function replicaUrls(text: string): readonly MysqlAddress[] {
  return list(text).map((each) => {
    const address = databaseUrl(each)
    if (address.kind !== 'mysql') throw new SettingProblem(`expected a list of ${MYSQL}`)
    return address
  })
}

function sqlitePath(rest: string): string {
  if (rest.includes(':memory:') || /^\/{0,3}$/.test(rest)) {
    throw new SettingProblem(`a database in memory keeps nothing: expected ${SQLITE}`)
  }
  if (/[?#]/.test(rest)) throw new SettingProblem(`a path takes no parameters: expected ${SQLITE}`)
  if (rest.endsWith('/')) throw new SettingProblem(`that is a folder: expected ${SQLITE} of a file`)
  if (!rest.startsWith('//')) return rest
  if (!rest.startsWith('///')) {
    throw new SettingProblem(
      `sqlite:// names a host: expected ${SQLITE}, sqlite:///abs or sqlite:///./rel`,
    )
  }
  const path = rest.slice(2).replace(/^\/+/, '/')
  return /^\/\.{1,2}\//.test(path) ? path.slice(1) : path
}

function mysqlAddress(rest: string): MysqlAddress {
  const url = URL.parse(`mysql:${rest}`)
  if (!rest.startsWith('//') || !url || url.hostname === '' || url.hash !== '') {
    throw new SettingProblem(
      `expected ${MYSQL}; write / : @ ? # and % in the password as %2F %3A %40 %3F %23 and %25`,
    )
  }
  for (const [name, value] of url.searchParams) {
    if (!isTlsParameter(name) && (name !== 'charset' || value !== 'utf8mb4')) {
      throw new SettingProblem(`the parameter "${name}" is not known: expected ${MYSQL}`)
    }
  }
  const user = percentDecoded(url.username)
  if (user === '') throw new SettingProblem(`the user is missing: expected ${MYSQL}`)
  if (url.port === '0') throw new SettingProblem(`port 0 cannot be connected to: expected ${MYSQL}`)
  const database = percentDecoded(url.pathname.slice(1))
  // The name becomes part of topic names, which take no other characters.
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(database)) {
    throw new SettingProblem(
      `the database's name is missing or has other characters than letters, digits, _ and -: expected ${MYSQL}`,
    )
  }
  return {
    kind: 'mysql',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 3306 : Number(url.port),
    user,
    password: percentDecoded(url.password),
    database,
    tls: mysqlTls(url.searchParams),
  }
}
