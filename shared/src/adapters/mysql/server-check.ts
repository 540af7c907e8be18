import { type Kysely, sql } from 'kysely'
import { OperatorError } from '../../errors/operator-error'
import type { Database } from '../sql/schema'

const OLDEST = { major: 8, minor: 0, patch: 14 }

/** What capture needs of the server, each with what to write into its configuration. */
const REQUIRED = [
  { variable: 'log_bin', value: 'ON', set: 'log_bin' },
  { variable: 'binlog_format', value: 'ROW', set: 'binlog_format=ROW' },
  { variable: 'binlog_row_image', value: 'FULL', set: 'binlog_row_image=FULL' },
  { variable: 'binlog_row_metadata', value: 'FULL', set: 'binlog_row_metadata=FULL' },
  { variable: 'gtid_mode', value: 'ON', set: 'gtid_mode=ON and enforce_gtid_consistency=ON' },
  {
    variable: 'binlog_transaction_compression',
    value: 'OFF',
    set: 'binlog_transaction_compression=OFF',
  },
] as const

/**
 * Refuses a server that change data capture could not read exactly: an `OperatorError` of one line
 * that says what to set.
 */
export async function checkServer(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ Variable_name: string; Value: string }>`
    show global variables where variable_name in ('version', ${sql.join(
      REQUIRED.map(({ variable }) => variable),
    )})
  `.execute(db)
  assertServerVariables(new Map(rows.map((row) => [row.Variable_name, row.Value])))
}

export function assertServerVariables(variables: ReadonlyMap<string, string>): void {
  const version = variables.get('version') ?? ''
  if (/mariadb/i.test(version) || isTooOld(version)) {
    const { major, minor, patch } = OLDEST
    throw new OperatorError(
      `DATABASE_URL: the server is ${version || 'of an unknown version'}; MySQL ${major}.${minor}.${patch} or newer is needed`,
    )
  }
  const wrong = REQUIRED.filter(({ variable, value }) => {
    const actual = variables.get(variable)
    // A server that does not know compression does not compress.
    if (actual === undefined) return variable !== 'binlog_transaction_compression'
    return actual.toUpperCase() !== value
  })
  if (wrong.length > 0) {
    throw new OperatorError(
      `MySQL is not set up for change data capture: set ${wrong.map(({ set }) => set).join(', ')} in its configuration and restart it`,
    )
  }
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number)
  const { major: leastMajor, minor: leastMinor, patch: leastPatch } = OLDEST
  if (major !== leastMajor) return major < leastMajor
  return minor !== leastMinor ? minor < leastMinor : patch < leastPatch
}
