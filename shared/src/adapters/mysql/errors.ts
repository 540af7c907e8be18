import { stripValues, withoutQuoted } from '../../errors/driver-error'
import { storeUnavailable } from '../../errors/sns-error'

/** What mysql2's errors carry; driver-made ones have no `errno`, `fatal` ends the connection. */
export interface MysqlErrorDetails {
  readonly code: string
  readonly errno: number | null
  readonly fatal: boolean
  readonly message: string
}

/** The errors of the server that we tell apart, by MySQL's own names for them, without their `ER_`. */
export const ER = {
  DISK_FULL: 1021,
  CON_COUNT_ERROR: 1040,
  DBACCESS_DENIED_ERROR: 1044,
  ACCESS_DENIED_ERROR: 1045,
  BAD_NULL_ERROR: 1048,
  BAD_DB_ERROR: 1049,
  SERVER_SHUTDOWN: 1053,
  BAD_FIELD_ERROR: 1054,
  DUP_ENTRY: 1062,
  RECORD_FILE_FULL: 1114,
  HOST_IS_BLOCKED: 1129,
  TABLEACCESS_DENIED_ERROR: 1142,
  NO_SUCH_TABLE: 1146,
  ERROR_DURING_COMMIT: 1180,
  UNKNOWN_SYSTEM_VARIABLE: 1193,
  TOO_MANY_USER_CONNECTIONS: 1203,
  LOCK_WAIT_TIMEOUT: 1205,
  LOCK_DEADLOCK: 1213,
  SPECIFIC_ACCESS_DENIED_ERROR: 1227,
  SOURCE_FATAL_ERROR_READING_BINLOG: 1236,
  WARN_DATA_OUT_OF_RANGE: 1264,
  OPTION_PREVENTS_STATEMENT: 1290,
  QUERY_INTERRUPTED: 1317,
  DATA_TOO_LONG: 1406,
  MALFORMED_GTID_SET_SPECIFICATION: 1772,
  CANT_EXECUTE_IN_READ_ONLY_TRANSACTION: 1792,
  READ_ONLY_MODE: 1836,
  INNODB_READ_ONLY: 1874,
  CONNECTION_KILLED: 1927,
  QUERY_TIMEOUT: 3024,
  SERVER_OFFLINE_MODE: 3032,
  RUN_HOOK_ERROR: 3100,
  TRANSACTION_ROLLBACK_DURING_COMMIT: 3101,
  SESSION_WAS_KILLED: 3169,
  SECURE_TRANSPORT_REQUIRED: 3159,
  CLIENT_INTERACTION_TIMEOUT: 4031,
  /** ProxySQL's own: no server of the host group could be reached. */
  PROXYSQL_HOSTGROUP_UNREACHABLE: 9001,
} as const

/**
 * With these a server says that it is not, or no longer, the one to talk to: it was demoted, is shutting
 * down or has left its group. The connection may well go on working, and would go on leading there.
 */
const DEMOTIONS: ReadonlySet<number> = new Set([
  ER.SERVER_SHUTDOWN,
  ER.ERROR_DURING_COMMIT,
  ER.OPTION_PREVENTS_STATEMENT,
  ER.CANT_EXECUTE_IN_READ_ONLY_TRANSACTION,
  ER.READ_ONLY_MODE,
  ER.INNODB_READ_ONLY,
  ER.SERVER_OFFLINE_MODE,
  ER.RUN_HOOK_ERROR,
  ER.TRANSACTION_ROLLBACK_DURING_COMMIT,
  ER.PROXYSQL_HOSTGROUP_UNREACHABLE,
])

/** With these the server ends the connection, or has ended it. */
const CONNECTION_ENDS: ReadonlySet<number> = new Set([
  ER.CONNECTION_KILLED,
  ER.SESSION_WAS_KILLED,
  ER.CLIENT_INTERACTION_TIMEOUT,
])

/** The server refuses for now, the connection being whole: full, or too slow. */
const REFUSALS: ReadonlySet<number> = new Set([
  ER.DISK_FULL,
  ER.CON_COUNT_ERROR,
  ER.RECORD_FILE_FULL,
  ER.HOST_IS_BLOCKED,
  ER.TOO_MANY_USER_CONNECTIONS,
  ER.QUERY_INTERRUPTED,
  ER.QUERY_TIMEOUT,
])

/** Errors whose message quotes names of the schema, accounts or files, and never a value. */
const QUOTES_NAMES: ReadonlySet<number> = new Set([
  ER.DBACCESS_DENIED_ERROR,
  ER.ACCESS_DENIED_ERROR,
  ER.BAD_NULL_ERROR,
  ER.BAD_DB_ERROR,
  ER.BAD_FIELD_ERROR,
  ER.TABLEACCESS_DENIED_ERROR,
  ER.NO_SUCH_TABLE,
  ER.UNKNOWN_SYSTEM_VARIABLE,
  ER.SPECIFIC_ACCESS_DENIED_ERROR,
  ER.SOURCE_FATAL_ERROR_READING_BINLOG,
  ER.WARN_DATA_OUT_OF_RANGE,
  ER.DATA_TOO_LONG,
])

export const QUERY_TIMEOUT_CODE = 'PROTOCOL_SEQUENCE_TIMEOUT'

export function detailsOf(error: unknown): MysqlErrorDetails | null {
  if (!(error instanceof Error)) return null
  return {
    code: 'code' in error && typeof error.code === 'string' ? error.code : '',
    errno: 'errno' in error && typeof error.errno === 'number' ? error.errno : null,
    fatal: 'fatal' in error && error.fatal === true,
    message: error.message,
  }
}

/** The connection is gone, or was never made; it says nothing about the statement. */
export function isConnectionLoss(error: unknown): boolean {
  const details = detailsOf(error)
  if (!details) return false
  return (
    details.fatal ||
    details.code === QUERY_TIMEOUT_CODE ||
    /^(PROTOCOL_|ECONN|ETIMEDOUT|EPIPE|EHOST|ENET|ENOTFOUND|EAI_)/.test(details.code) ||
    /closed state|Pool is closed/.test(details.message)
  )
}

/** The server says that it is no longer the one to talk to: its connections are of no more use. */
export function isDemotion(error: unknown): boolean {
  const errno = detailsOf(error)?.errno
  return typeof errno === 'number' && DEMOTIONS.has(errno)
}

/** The connection must not be used again: it is lost, or leads to a server that is no longer the one. */
export function isConnectionSpent(error: unknown): boolean {
  const errno = detailsOf(error)?.errno
  const isEnded = typeof errno === 'number' && CONNECTION_ENDS.has(errno)
  return isConnectionLoss(error) || isDemotion(error) || isEnded
}

/**
 * What a statement in flight fails with when its connection is thrown away beneath it. mysql2 would never
 * answer it.
 */
export function connectionAbandoned(): Error {
  const error = new Error('the connection was given up while a statement was in flight')
  return Object.assign(error, { code: 'PROTOCOL_CONNECTION_LOST', fatal: true })
}

/** The server rolled the transaction back so that others could go on; it may run again. */
export function isTransientMysqlError(error: unknown): boolean {
  const errno = detailsOf(error)?.errno
  return errno === ER.LOCK_DEADLOCK || errno === ER.LOCK_WAIT_TIMEOUT
}

/** Takes off the error what people wrote; the index of a duplicate stays in its message. */
export function stripMysqlError<Thrown>(error: Thrown): Thrown {
  const errno = detailsOf(error)?.errno ?? 0
  return stripValues(error, (message) => {
    if (QUOTES_NAMES.has(errno)) return message
    const index = mysqlDuplicateIndex(error)
    return index === null ? withoutQuoted(message) : `Duplicate entry for key '${index}'`
  })
}

/**
 * `store_unavailable` where another attempt may succeed; everything else stays what it is. Neither holds
 * values any more.
 */
export function translateMysqlError(error: unknown): unknown {
  stripMysqlError(error)
  const errno = detailsOf(error)?.errno ?? null
  const isAway = isConnectionSpent(error) || (errno !== null && REFUSALS.has(errno))
  return isAway ? storeUnavailable('mysql', error) : error
}

/** From `Duplicate entry '…' for key 'users.users_username'`; before 8.0.19 without the table. */
export function mysqlDuplicateIndex(error: unknown): string | null {
  const details = detailsOf(error)
  if (details?.errno !== ER.DUP_ENTRY) return null
  return /for key '(?:[^']*\.)?([^'.]+)'$/.exec(details.message)?.[1] ?? ''
}
