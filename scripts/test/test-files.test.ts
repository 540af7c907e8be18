import { expect, test } from 'bun:test'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { findTestFiles } from './test-files'

const root = join(import.meta.dir, '../..')

async function findIn(files: Readonly<Record<string, string>>, ...filters: string[]) {
  await using folder = await temporaryFolder()
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder.path, path)), { recursive: true })
    await Bun.write(join(folder.path, path), text)
  }
  return findTestFiles(folder.path, filters)
}

const RUN = "export const run = () => Bun.spawn(['true'])"

test('files are told apart by their names, and chosen by a part of their path', async () => {
  const files = {
    'shared/a.test.ts': '',
    'shared/b.server.test.ts': '',
    'shared/node_modules/c.test.ts': '',
    'elsewhere/d.test.ts': '',
  }
  expect(await findIn(files)).toEqual({
    local: ['shared/a.test.ts'],
    sharing: ['shared/b.server.test.ts'],
    alone: [],
  })
  expect(await findIn(files, 'b.')).toMatchObject({ local: [], sharing: [expect.any(String)] })
})

test.each<[string, Readonly<Record<string, string>>]>([
  ['starts a program', { 'tests/a.server.test.ts': RUN }],
  ['ends one', { 'tests/a.server.test.ts': "process.kill(1, 'SIGSTOP')" }],
  [
    'reaches what starts one',
    {
      'tests/a.server.test.ts': "import { b } from '../shared/b'\nb()",
      'shared/b.ts': "export { run as b } from './c'",
      'shared/c.ts': RUN,
    },
  ],
  ['changes a whole server', { 'tests/a.server.test.ts': "sql('SET GLOBAL read_only = ON')" }],
  ['forgets what all have', { 'tests/a.server.test.ts': "redis.script('FLUSH')" }],
  ['ends the log that all read', { 'tests/a.server.test.ts': 'sql(`PURGE BINARY LOGS TO 1`)' }],
  ['counts what a server does', { 'tests/a.server.test.ts': "sql('show processlist')" }],
  [
    'has another do that',
    {
      'tests/a.server.test.ts': "import { b } from '../shared/testing/b'\nb()",
      'shared/testing/b.ts': "export const b = () => sql('update mysql.innodb_table_stats')",
    },
  ],
  [
    'gives a server less than a second',
    { 'tests/a.server.test.ts': 'open({ queryTimeoutMs: 300 })' },
  ],
])('a server test that %s runs alone', async (_, files) => {
  expect(await findIn(files)).toMatchObject({ sharing: [], alone: ['tests/a.server.test.ts'] })
})

test('one that says such things of its own part of a server may run beside others', async () => {
  const files = {
    'tests/a.server.test.ts':
      "import { b } from '../shared/b'\nb({ requestTimeoutMs: 2_000 }, 'set session sql_mode')",
    'shared/b.ts': "export const b = () => sql('kill query 7')",
  }
  expect(await findIn(files)).toMatchObject({ sharing: ['tests/a.server.test.ts'], alone: [] })
})

test('of those here, whatever stops the shared servers or has servers of its own runs alone', () => {
  const { sharing, alone } = findTestFiles(root, [])
  expect(alone.filter((file) => file.startsWith('tests/'))).not.toBeEmpty()
  expect(sharing.filter((file) => file.startsWith('tests/'))).toBeEmpty()
  for (const name of [
    'mysql/binlog-source',
    'mysql/binlog-checksum',
    'redis/timeline-store',
    'redis/cluster',
    'kafka/three-brokers',
    'mysql/replica-reads',
  ]) {
    expect(alone).toContainEqual(expect.stringContaining(`/${name}.server.test.ts`))
  }
  expect(sharing).toContain('shared/src/adapters/kafka/consumer-group.server.test.ts')
})
