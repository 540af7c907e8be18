import { stripValues, withoutQuoted } from '../../errors/driver-error'
import { storeUnavailable } from '../../errors/sns-error'

/** What mysql2's errors carry; driver-made ones have no `errno`, `fatal` ends the connection. */
export interface MysqlErrorDetails {
  readonly code: string
  readonly errno: number | null
  readonly fatal: boolean
  readonly message: string
}

const DUPLICATE_ENTRY = 1062
const LOCK_WAIT_TIMEOUT = 1205
const DEADLOCK = 1213

/** The server refuses for now, the connection being whole: full, shutting down, read-only, too slow. */
const REFUSALS = new Set([
  1021, // disk full
  1040, // too many connections
  1053, // shutting down
  1114, // table full
  1129, // host blocked
  1203, // too many connections of this user
  1290, // read-only, among other options
  1317, // query interrupted
  1836, // read-only mode
  3024, // max_execution_time passed
  3169, // session killed
  4031, // closed by the server as idle
])

/** Errors whose message quotes names of the schema, accounts or files, and never a value. */
const QUOTES_NAMES = new Set([
  1044, // access denied to a database
  1045, // access denied
  1048, // column cannot be null
  1049, // unknown database
  1054, // unknown column
  1142, // command denied on a table
  1146, // no such table
  1193, // unknown variable
  1227, // privilege missing
  1236, // the binlog cannot be read
  1264, // out of range for a column
  1406, // too long for a column
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

/** The server rolled the transaction back so that others could go on; it may run again. */
export function isTransientMysqlError(error: unknown): boolean {
  const errno = detailsOf(error)?.errno
  return errno === DEADLOCK || errno === LOCK_WAIT_TIMEOUT
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
 * `store_unavailable` for what another try may mend; everything else stays what it is. Neither holds
 * values any more.
 */
export function translateMysqlError(error: unknown): unknown {
  stripMysqlError(error)
  const errno = detailsOf(error)?.errno ?? null
  const isAway = isConnectionLoss(error) || (errno !== null && REFUSALS.has(errno))
  return isAway ? storeUnavailable('mysql', error) : error
}

/** From `Duplicate entry '…' for key 'users.users_username'`; before 8.0.19 without the table. */
export function mysqlDuplicateIndex(error: unknown): string | null {
  const details = detailsOf(error)
  if (details?.errno !== DUPLICATE_ENTRY) return null
  return /for key '(?:[^']*\.)?([^'.]+)'$/.exec(details.message)?.[1] ?? ''
}
