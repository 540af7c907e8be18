import { OperatorError } from '../../errors/operator-error'
import { anotherHistory, MOVE_ON, purgedPast, toCaptureError } from './binlog-errors'
import { type MysqlSession, type SessionRow, textCell } from './binlog-session'

/** A server setting that capture depends on, and what it must be. */
const REQUIRED_SETTINGS = {
  gtid_mode: 'ON',
  binlog_format: 'ROW',
  binlog_row_image: 'FULL',
  binlog_row_metadata: 'FULL',
  binlog_order_commits: '1',
  log_bin: '1',
  binlog_transaction_compression: '0',
  binlog_row_value_options: '',
} as const

const SETTINGS_SQL = `SELECT ${Object.keys(REQUIRED_SETTINGS)
  .map((name) => `@@GLOBAL.${name} AS ${name}`)
  .join(', ')}`

const HISTORY_SQL = `SELECT
  GTID_SUBSET(?, @@GLOBAL.gtid_executed) AS known,
  GTID_SUBSET(@@GLOBAL.gtid_purged, ?) AS available`

/**
 * Throws an `OperatorError` unless the server writes a binlog that capture can read and still holds
 * everything after `gtidSet`.
 */
export async function checkServer(session: MysqlSession, gtidSet: string): Promise<void> {
  const settings = await ask(session, SETTINGS_SQL)
  const problem = settingsProblem(settings)
  if (problem) throw new OperatorError(problem)
  const history = await ask(session, HISTORY_SQL, [gtidSet, gtidSet])
  if (textCell(history, 'known') !== '1') throw anotherHistory()
  if (textCell(history, 'available') !== '1') throw purgedPast()
}

const MALFORMED_GTID_SET = 1772

async function ask(
  session: MysqlSession,
  sql: string,
  values: readonly string[] = [],
): Promise<SessionRow | undefined> {
  try {
    return (await session.query(sql, values))[0]
  } catch (error) {
    if (error instanceof Error && 'errno' in error && error.errno === MALFORMED_GTID_SET) {
      throw new OperatorError(`the GTID set in capture_checkpoint is damaged; ${MOVE_ON}`, 1, {
        cause: error,
      })
    }
    throw toCaptureError(error)
  }
}

/** One line naming every setting that is wrong and what to set, or null. */
export function settingsProblem(settings: SessionRow | undefined): string | null {
  const wrong = Object.entries(REQUIRED_SETTINGS).filter(
    ([name, wanted]) => String(settings?.[name] ?? '') !== wanted,
  )
  if (wrong.length === 0) return null
  const is = wrong.map(([name]) => `${name}=${settings?.[name] ?? ''}`).join(', ')
  const set = wrong.map(([name, wanted]) => `${name}=${inWords(wanted)}`).join(', ')
  return `MySQL writes a binlog that capture cannot read (${is}); set ${set} on the server and restart it`
}

function inWords(value: string): string {
  return value === '1' ? 'ON' : value === '0' ? 'OFF' : value === '' ? "''" : value
}
