import { ER } from '@sns/shared/adapters/mysql/errors'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { capturedTables } from '@sns/shared/events/tables'
import type { BinlogPosition } from '../ports/binlog-source'
import { MOVE_ON } from '../ports/checkpoint-store'
import { anotherHistory, purgedPast, toCaptureError } from './errors'
import { isStatementError, type MysqlSession, type SessionRow, textCell } from './session'

const OLDEST = { major: 8, minor: 0, patch: 14 }

/** The values that capture needs, as `SHOW VARIABLES` writes them. */
const REQUIRED = {
  log_bin: 'ON',
  binlog_format: 'ROW',
  binlog_row_image: 'FULL',
  binlog_row_metadata: 'FULL',
  binlog_row_value_options: '',
  binlog_order_commits: 'ON',
  gtid_mode: 'ON',
  // What a power cut must not take back: changes that were published before.
  sync_binlog: '1',
  innodb_flush_log_at_trx_commit: '1',
  // Rows that the engine changes by itself never reach the binlog.
  innodb_native_foreign_keys: 'OFF',
} as const

const NATIVE_FOREIGN_KEYS = 'innodb_native_foreign_keys'
/** Not every supported server has these variables; one without the first lacks the feature, one without the second has no other. */
const MAY_BE_UNKNOWN = new Set(['binlog_row_value_options', NATIVE_FOREIGN_KEYS])

const VARIABLES_SQL = `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${[
  'version',
  ...Object.keys(REQUIRED),
]
  .map((name) => `'${name}'`)
  .join(', ')})`

/** Foreign keys of captured tables whose rows go or change with those of another. */
export const CASCADES_SQL = `SELECT table_name AS child, constraint_name AS name
  FROM information_schema.referential_constraints
  WHERE constraint_schema = DATABASE() AND table_name IN (${capturedTables.map((name) => `'${name}'`).join(', ')})
    AND (delete_rule NOT IN ('RESTRICT', 'NO ACTION') OR update_rule NOT IN ('RESTRICT', 'NO ACTION'))
  ORDER BY child, name LIMIT 1`

const HISTORY_SQL = `SELECT
  GTID_SUBSET(?, @@GLOBAL.gtid_executed) AS known,
  GTID_SUBSET(@@GLOBAL.gtid_purged, GTID_SUBTRACT(?, ?)) AS available,
  GTID_SUBTRACT(?, ?) AS seen`

/** Throws an `OperatorError` unless the server writes a binlog that capture can read, and keeps it. */
export async function checkServer(session: MysqlSession): Promise<void> {
  try {
    const rows = await session.query(VARIABLES_SQL)
    const variables = new Map(
      rows.map((row) => [textCell(row, 'Variable_name'), textCell(row, 'Value')]),
    )
    assertServerVariables(variables)
    if (!variables.has(NATIVE_FOREIGN_KEYS)) assertNoCascade(await session.query(CASCADES_SQL))
  } catch (error) {
    throw toCaptureError(error)
  }
}

/**
 * Throws an `OperatorError` unless the server knows `gtidSet` and still holds all that came after it, and its
 * last transaction too, for the proof. Returns the set without that one.
 */
export async function checkHistory(
  session: MysqlSession,
  { gtidSet, last }: Pick<BinlogPosition, 'gtidSet' | 'last'>,
): Promise<string> {
  try {
    const proof = last?.gtid ?? ''
    const [history] = await session.query(HISTORY_SQL, [gtidSet, gtidSet, proof, gtidSet, proof])
    if (textCell(history, 'known') !== '1') throw anotherHistory()
    if (textCell(history, 'available') !== '1') throw purgedPast()
    return textCell(history, 'seen').replace(/\s/g, '')
  } catch (error) {
    if (isStatementError(error) && error.errno === ER.MALFORMED_GTID_SET_SPECIFICATION) {
      throw new OperatorError(`the GTID set in capture_checkpoint is damaged; ${MOVE_ON}`, 1, {
        cause: error,
      })
    }
    throw toCaptureError(error)
  }
}

/**
 * Throws an `OperatorError` of one line that says which variables are wrong and what to set them to.
 * `variables` are as `SHOW VARIABLES` gives them.
 */
export function assertServerVariables(variables: ReadonlyMap<string, string>): void {
  const version = variables.get('version') ?? ''
  if (/mariadb/i.test(version) || isTooOld(version)) {
    const { major, minor, patch } = OLDEST
    throw new OperatorError(
      `DATABASE_URL: the server is ${version || 'of an unknown version'}; MySQL ${major}.${minor}.${patch} or newer is needed`,
    )
  }
  const wrong = Object.entries(REQUIRED).filter(([name, wanted]) => {
    const actual = variables.get(name)
    return actual === undefined ? !MAY_BE_UNKNOWN.has(name) : actual.toUpperCase() !== wanted
  })
  if (wrong.length === 0) return
  const is = wrong.map(([name]) => `${name}=${variables.get(name) ?? ''}`).join(', ')
  const set = wrong.map(([name, wanted]) => `${name}=${wanted || "''"}`).join(', ')
  throw new OperatorError(
    `MySQL is not set up as capture needs it (${is}); set ${set} on the server and restart it`,
  )
}

/** Servers before 9.6 let the engine do what a foreign key says. */
export function assertNoCascade([first]: readonly SessionRow[]): void {
  if (!first) return
  throw new OperatorError(
    `the foreign key ${textCell(first, 'name')} changes rows of ${textCell(first, 'child')} by itself, which this MySQL does not log; make it ON DELETE RESTRICT ON UPDATE RESTRICT, or take MySQL 9.6 or newer`,
  )
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number)
  const { major: leastMajor, minor: leastMinor, patch: leastPatch } = OLDEST
  if (major !== leastMajor) return major < leastMajor
  return minor !== leastMinor ? minor < leastMinor : patch < leastPatch
}
