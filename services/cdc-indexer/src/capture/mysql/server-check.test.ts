import { describe, expect, test } from 'bun:test'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { assertNoCascade, assertServerVariables } from './server-check'

const GOOD = {
  version: '8.4.3',
  log_bin: 'ON',
  binlog_format: 'ROW',
  binlog_row_image: 'FULL',
  binlog_row_metadata: 'FULL',
  gtid_mode: 'ON',
  binlog_order_commits: 'ON',
  binlog_row_value_options: '',
  sync_binlog: '1',
  innodb_flush_log_at_trx_commit: '1',
}

function complaint(changes: Record<string, string | undefined>): string | null {
  const entries = Object.entries({ ...GOOD, ...changes })
  const variables = new Map(entries.flatMap(([k, v]) => (v === undefined ? [] : [[k, v] as const])))
  try {
    assertServerVariables(variables)
    return null
  } catch (error) {
    if (error instanceof OperatorError) return error.message
    throw error
  }
}

describe('what a server must be', () => {
  test.each(['8.0.14', '8.0.42-log', '8.4.0', '9.7.4-2', '10.0.0'])('takes MySQL %s', (version) => {
    expect(complaint({ version })).toBeNull()
  })

  test('refuses a group with several primaries, and names the command that makes it have one', () => {
    expect(complaint({ group_replication_single_primary_mode: 'ON' })).toBeNull()
    expect(complaint({ group_replication_single_primary_mode: 'OFF' })).toMatch(
      /several primaries .*SELECT group_replication_switch_to_single_primary_mode\(\)/,
    )
  })

  test.each(['5.7.44', '8.0.13', '10.11.6-MariaDB', ''])('refuses %s as too old', (version) => {
    expect(complaint({ version })).toMatch(/MySQL 8\.0\.14 or newer is needed/)
  })

  test.each([
    ['log_bin', 'OFF', 'set log_bin=ON'],
    ['binlog_format', 'MIXED', 'set binlog_format=ROW'],
    ['binlog_row_image', 'MINIMAL', 'set binlog_row_image=FULL'],
    ['binlog_row_metadata', 'MINIMAL', 'set binlog_row_metadata=FULL'],
    ['gtid_mode', 'OFF_PERMISSIVE', 'set gtid_mode=ON'],
    ['binlog_order_commits', 'OFF', 'set binlog_order_commits=ON'],
    ['binlog_row_value_options', 'PARTIAL_JSON', "set binlog_row_value_options=''"],
    ['sync_binlog', '0', 'set sync_binlog=1'],
    ['innodb_flush_log_at_trx_commit', '2', 'set innodb_flush_log_at_trx_commit=1'],
    ['innodb_native_foreign_keys', 'ON', 'set innodb_native_foreign_keys=OFF'],
  ])('says what to set where %s is %s', (variable, value, expected) => {
    const message = complaint({ [variable]: value })
    expect(message).toContain(`(${variable}=${value})`)
    expect(message).toContain(expected)
    expect(message).not.toContain('\n')
  })

  test('names all that is wrong at once', () => {
    expect(complaint({ binlog_format: 'STATEMENT', gtid_mode: 'OFF' })).toMatch(
      /binlog_format=ROW, gtid_mode=ON/,
    )
  })

  test('takes a server that knows no partial values, and none that knows no metadata', () => {
    expect(complaint({ binlog_row_value_options: undefined })).toBeNull()
    expect(complaint({ binlog_row_metadata: undefined })).toContain('binlog_row_metadata=FULL')
  })
})

test('a cascade of the engine is refused where the server has no other', () => {
  expect(() => assertNoCascade([])).not.toThrow()
  expect(() => assertNoCascade([{ child: 'comments', name: 'fk_post' }])).toThrow(
    /the foreign key fk_post changes rows of comments by itself/,
  )
})
