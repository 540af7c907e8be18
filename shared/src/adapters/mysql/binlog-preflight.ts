import { MOVE_ON } from '../../errors/move-on'
import { OperatorError } from '../../errors/operator-error'
import { anotherHistory, purgedPast, toCaptureError } from './binlog-errors'
import { type MysqlSession, type SessionRow, textCell } from './binlog-session'
import { assertServerVariables, SERVER_VARIABLES_SQL } from './server-requirements'

const HISTORY_SQL = `SELECT
  GTID_SUBSET(?, @@GLOBAL.gtid_executed) AS known,
  GTID_SUBSET(@@GLOBAL.gtid_purged, ?) AS available`

/**
 * Throws an `OperatorError` unless the server writes a binlog that capture can read and still holds
 * everything after `gtidSet`.
 */
export async function checkServer(session: MysqlSession, gtidSet: string): Promise<void> {
  const variables = await ask(session, SERVER_VARIABLES_SQL)
  assertServerVariables(
    new Map(variables.map((row) => [textCell(row, 'Variable_name'), textCell(row, 'Value')])),
  )
  const [history] = await ask(session, HISTORY_SQL, [gtidSet, gtidSet])
  if (textCell(history, 'known') !== '1') throw anotherHistory()
  if (textCell(history, 'available') !== '1') throw purgedPast()
}

const MALFORMED_GTID_SET = 1772

async function ask(
  session: MysqlSession,
  sql: string,
  values: readonly string[] = [],
): Promise<readonly SessionRow[]> {
  try {
    return await session.query(sql, values)
  } catch (error) {
    if (error instanceof Error && 'errno' in error && error.errno === MALFORMED_GTID_SET) {
      throw new OperatorError(`the GTID set in capture_checkpoint is damaged; ${MOVE_ON}`, 1, {
        cause: error,
      })
    }
    throw toCaptureError(error)
  }
}
