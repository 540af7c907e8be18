import { ER } from '@sns/shared/adapters/mysql/errors'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { capturedTables } from '@sns/shared/events/tables'
import type { BinlogPosition, LastTransaction, SessionServer } from '../ports/binlog-source'
import { MOVE_ON } from '../ports/checkpoint-store'
import { lacksTransactions, purgedPast, toCaptureError } from './errors'
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

/** A variable of Group Replication's plugin. */
const SINGLE_PRIMARY = 'group_replication_single_primary_mode'

const NATIVE_FOREIGN_KEYS = 'innodb_native_foreign_keys'
/** Not every supported server has these variables; one without the first lacks the feature, one without the second has no other. */
const MAY_BE_UNKNOWN = new Set(['binlog_row_value_options', NATIVE_FOREIGN_KEYS])

const VARIABLES_SQL = `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${[
  'version',
  SINGLE_PRIMARY,
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
  GTID_SUBTRACT(?, @@GLOBAL.gtid_executed) AS missing,
  GTID_SUBTRACT(@@GLOBAL.gtid_executed, ?) AS extra,
  GTID_SUBTRACT(@@GLOBAL.gtid_purged, ?) AS lost,
  GTID_SUBSET(?, @@GLOBAL.gtid_purged) AS unproven,
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

export interface History {
  /** What the server is told to leave out. */
  readonly seen: string
  /** What proves the log; null where nothing can. */
  readonly last: LastTransaction | null
}

/**
 * Throws an `OperatorError` unless the server has all of `gtidSet` and what was published since, and still holds all that came after it, and the last
 * transaction too, for the proof. Only where another server has become the primary (`isKnown` is false) may its log
 * begin after that one, as that of a new copy does: then the GTID sets must do.
 */
export async function checkHistory(
  session: MysqlSession,
  { gtidSet, last }: Pick<BinlogPosition, 'gtidSet' | 'last'>,
  { isKnown, published }: Pick<SessionServer, 'isKnown' | 'published'>,
): Promise<History> {
  try {
    const proof = last?.gtid ?? ''
    const captured = [gtidSet, ...published.map(({ gtid }) => gtid)].filter(Boolean).join(',')
    const values = [captured, captured, gtidSet, proof, gtidSet, proof]
    const [history] = await session.query(HISTORY_SQL, values)
    const [missing, extra, lost] = ['missing', 'extra', 'lost'].map((column) =>
      textCell(history, column).replace(/\s/g, ''),
    )
    if (missing) throw lacksTransactions(missing, extra ?? '')
    if (lost) throw purgedPast(undefined, lost)
    const isProven = last !== null && textCell(history, 'unproven') !== '1'
    if (last !== null && !isProven && isKnown) throw purgedPast(undefined, proof)
    if (!isProven) return { seen: gtidSet, last: null }
    return { seen: textCell(history, 'seen').replace(/\s/g, ''), last }
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
  if (variables.get(SINGLE_PRIMARY)?.toUpperCase() === 'OFF') {
    throw new OperatorError(
      `MySQL's group has several primaries (${SINGLE_PRIMARY}=OFF): what two of them write at once has no order that capture could keep; have it elect one (SELECT group_replication_switch_to_single_primary_mode())`,
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
