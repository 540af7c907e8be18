import { OperatorError } from '../../errors/operator-error'

const OLDEST = { major: 8, minor: 0, patch: 14 }

/** What capture needs of the server, as SHOW VARIABLES writes it. */
const REQUIRED = {
  log_bin: 'ON',
  binlog_format: 'ROW',
  binlog_row_image: 'FULL',
  binlog_row_metadata: 'FULL',
  binlog_row_value_options: '',
  binlog_order_commits: 'ON',
  binlog_transaction_compression: 'OFF',
  gtid_mode: 'ON',
} as const

/** Of features that not every sound server knows: one that does not know them does not use them. */
const MAY_BE_UNKNOWN = new Set(['binlog_row_value_options', 'binlog_transaction_compression'])

/** Reads what `assertServerVariables` looks at, in columns `Variable_name` and `Value`. */
export const SERVER_VARIABLES_SQL = `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${[
  'version',
  ...Object.keys(REQUIRED),
]
  .map((name) => `'${name}'`)
  .join(', ')})`

/**
 * Refuses a server that change data capture could not read exactly, for `migrate` and capture alike: an
 * `OperatorError` of one line that says what is wrong and what to set.
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
    `MySQL writes a binlog that capture cannot read (${is}); set ${set} on the server and restart it`,
  )
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number)
  const { major: leastMajor, minor: leastMinor, patch: leastPatch } = OLDEST
  if (major !== leastMajor) return major < leastMajor
  return minor !== leastMinor ? minor < leastMinor : patch < leastPatch
}
