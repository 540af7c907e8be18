import { detailsOf, ER } from '@sns/shared/adapters/mysql/errors'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { SnsError, storeUnavailable } from '@sns/shared/errors/sns-error'
import { MOVE_ON } from '../ports/checkpoint-store'

const ACCESS_DENIED: ReadonlySet<number> = new Set([
  ER.DBACCESS_DENIED_ERROR,
  ER.ACCESS_DENIED_ERROR,
  ER.TABLEACCESS_DENIED_ERROR,
  ER.SPECIFIC_ACCESS_DENIED_ERROR,
])

/**
 * What an error of the driver or of the binlog reader means for capture: `OperatorError` where only a
 * person can go on, `store_unavailable` where a new connection may work.
 */
export function toCaptureError(error: unknown): OperatorError | SnsError {
  if (error instanceof OperatorError || error instanceof SnsError) return error
  if (!(error instanceof Error)) return storeUnavailable('mysql', error)
  const { message } = error
  const errno = detailsOf(error)?.errno ?? null
  if (errno === ER.SOURCE_FATAL_ERROR_READING_BINLOG) return toBinlogReadError(message, error)
  if (errno !== null) {
    if (ACCESS_DENIED.has(errno)) {
      return operator(
        `MySQL refuses the user of DATABASE_URL (${message}); \`grant\` gives each program's user what it needs`,
        error,
      )
    }
    if (errno === ER.BAD_DB_ERROR || errno === ER.NO_SUCH_TABLE) {
      return operator(`the tables are not there yet (${message}); run migrate first`, error)
    }
    if (errno === ER.UNKNOWN_SYSTEM_VARIABLE) {
      return operator(
        `capture needs a MySQL with GTIDs (${message}); point DATABASE_URL at one that migrate accepts`,
        error,
      )
    }
  }
  return storeUnavailable('mysql', error)
}

/** The same for an error of a running dump, where one without a code comes from decoding an event. */
export function toDumpError(error: unknown): OperatorError | SnsError {
  const isDecoding =
    error instanceof Error &&
    !(error instanceof OperatorError || error instanceof SnsError) &&
    !('code' in error || 'errno' in error || 'fatal' in error)
  return isDecoding
    ? operator(`an event of the binlog cannot be decoded (${oneLine(error.message)})`, error)
    : toCaptureError(error)
}

/** MySQL has one error for all that can be wrong with a requested position; only its text tells which. */
function toBinlogReadError(message: string, cause: Error): OperatorError | SnsError {
  if (/same server_uuid|same server_id|server_uuid\/server_id/i.test(message)) {
    return storeUnavailable('mysql', cause)
  }
  if (/purged/i.test(message)) return purgedPast(cause)
  if (/more GTIDs than|diverg|rolled back|truncated/i.test(message))
    return anotherHistory('', cause)
  return operator(`MySQL cannot go on with the binlog (${oneLine(message)}); ${MOVE_ON}`, cause)
}

/** `gtids`: what is gone, where that is known. */
export function purgedPast(cause?: unknown, gtids = ''): OperatorError {
  return operator(
    `the binlog that the checkpoint needs has been purged${gtids && ` (${gtids})`}, so changes are lost to capture; raise binlog_expire_logs_seconds, and ${MOVE_ON}`,
    cause,
  )
}

/** `gtid`: the transaction that shows it, where that is known. */
export function anotherHistory(gtid = '', cause?: unknown): OperatorError {
  return operator(
    `this MySQL is not the server that capture knew: it lacks transactions that were captured, or has others under their numbers${gtid && ` (${gtid})`} (another server, restored from a backup, or its binary logs were reset); point DATABASE_URL at the right one, or ${MOVE_ON}`,
    cause,
  )
}

/**
 * `missing` were captured and this server lacks them; `extra` it has and they were not captured: what it wrote since,
 * and what it should never have written while it followed another.
 */
export function lacksTransactions(missing: string, extra: string): OperatorError {
  return new OperatorError(
    `this MySQL is not the server that capture knew, nor one that has all of its transactions: it lacks ${missing}, which were captured${extra && `, and has ${extra}, which were not`}; point DATABASE_URL at the right one, or, where those are lost, ${MOVE_ON}`,
  )
}

/** A transaction that a server wrote before it had all that was captured from another: no order between them is known. */
export function unorderedBefore(gtid: string, captured: string, table: string): OperatorError {
  return new OperatorError(
    `this MySQL is not the server that capture knew: transaction ${gtid} changed ${table} here before ${captured}, which was captured, arrived; ${MOVE_ON}`,
  )
}

function operator(message: string, cause: unknown): OperatorError {
  return new OperatorError(message, 1, { cause })
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, ' ').trim()
}
