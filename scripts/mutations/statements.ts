import type { Mutation } from './mutation'

const MYSQL = 'services/cdc-indexer/src/capture/mysql'
const TOKENS = `${MYSQL}/sql-tokens.ts`
const STATEMENT = `${MYSQL}/binlog-statement.ts`
const READ = [`${MYSQL}/binlog-statement.test.ts`]
const EVENT = [`${MYSQL}/query-event.test.ts`]

/** Of what tells statements that change captured rows from those that change none. */
export const STATEMENT_MUTATIONS: readonly Mutation[] = [
  {
    name: 'statements: a comment is part of the statement',
    file: TOKENS,
    find: "    if (sql.startsWith('/*', at)) {",
    replace: "    if (sql.startsWith('/*!', at)) {",
    tests: READ,
  },
  {
    name: 'statements: a comment for a version is read by any server',
    file: TOKENS,
    find: 'if (since === null || Number(since) <= version) {',
    replace: 'if (since === null || version >= 0) {',
    tests: READ,
  },
  {
    name: 'statements: a comment that the server reads is passed over',
    file: TOKENS,
    find: "    if (sql[at] === '!') {",
    replace: "    if (sql[at] === '!!') {",
    tests: READ,
  },
  {
    name: 'statements: a backslash escapes whatever the sql_mode says',
    file: TOKENS,
    find: '(sqlMode & SQL_MODE.noBackslashEscapes) === 0',
    replace: 'sqlMode >= 0',
    tests: READ,
  },
  {
    name: 'statements: a double quote begins a string whatever the sql_mode says',
    file: TOKENS,
    find: '(sqlMode & SQL_MODE.ansiQuotes) !== 0',
    replace: 'sqlMode < 0',
    tests: READ,
  },
  {
    name: 'statements: a table that is put in the place of another has its rows',
    file: STATEMENT,
    find: 'return table && !isOnlineCopy(table, key, origin) ? [table] : []',
    replace: 'return table && origin === null ? [table] : []',
    tests: READ,
  },
  {
    name: 'statements: what is not known to change rows changes none',
    file: STATEMENT,
    find: 'if (word !== null && HARMLESS.has(word)) return OTHER',
    replace:
      "if (!['INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'LOAD'].includes(word ?? '')) return OTHER",
    tests: READ,
  },
  {
    name: 'statements: nobody asks which databases a statement used',
    file: STATEMENT,
    find: 'if (databases && !databases.includes(UNNAMED)) {',
    replace: 'if (databases?.includes(UNNAMED)) {',
    tests: READ,
  },
  {
    name: 'statements: a second byte may be an escape',
    file: `${MYSQL}/query-event.ts`,
    find: "masked.fill('?', at, at + 2)",
    replace: '',
    tests: EVENT,
  },
  {
    name: 'statements: whatever key a table has is the one of its records',
    file: `${MYSQL}/primary-key.ts`,
    find: 'if (key.length === actual.length && key.every((column) => actual.includes(column))) {',
    replace: 'if (actual.length > 0) {',
    tests: [`${MYSQL}/primary-key.test.ts`],
  },
  {
    name: 'statements: a compressed transaction is unpacked at once',
    file: `${MYSQL}/zstd-reader.ts`,
    find: 'const STEP_BYTES = 64 * 1024',
    replace: 'const STEP_BYTES = 512 * 2 ** 20',
    tests: [`${MYSQL}/binlog-packet.test.ts`],
  },
  {
    name: 'statements: a snapshot stands for what was committed after it was asked for',
    file: `${MYSQL}/unread-tables.ts`,
    find: 'sets.get(table)?.contains(gtid) ?? false',
    replace: 'sets.has(table) || gtid === table',
    tests: [`${MYSQL}/unread-tables.server.test.ts`],
    needs: 'TEST_DATABASE_URL',
  },
  {
    name: 'statements: a snapshot from before a stop goes on where it was',
    file: `${MYSQL}/binlog-source.ts`,
    find: 'if (error instanceof UnreadTablesError) await markUnread(session, error.tables)',
    replace: 'if (error instanceof UnreadTablesError) await markUnread(session, [])',
    tests: [`${MYSQL}/unread-tables.server.test.ts`],
    needs: 'TEST_DATABASE_URL',
  },
  {
    name: 'statements: a trigger changes nothing beside the table of its statement',
    file: `${MYSQL}/binlog-transactions.ts`,
    find: "if (defined === 'made') hasEffects = true",
    replace: 'void hasEffects',
    tests: [`${MYSQL}/binlog-transactions.test.ts`],
  },
  {
    name: 'statements: a trigger that is gone was never there',
    file: `${MYSQL}/binlog-transactions.ts`,
    find: "if (defined !== 'gone' || narrowed === null) return",
    replace: 'if (narrowed === null || narrowed.length > 0) return',
    tests: [`${MYSQL}/binlog-transactions.test.ts`],
  },
  {
    name: 'statements: any function is one of MySQL',
    file: `${MYSQL}/own-table.ts`,
    find: '!isQualified && NO_STORED_FUNCTIONS.has(before.text.toUpperCase())',
    replace: '!isQualified && NO_STORED_FUNCTIONS.size > 0',
    tests: READ,
  },
  {
    name: 'statements: texts that become bytes keep their values',
    file: `${MYSQL}/alter-table.ts`,
    find: "if (readTokens(spec).skipPast('BYTE')) return true",
    replace: 'if (spec.length > 0) return false',
    tests: READ,
  },
  {
    name: 'statements: a comment is for a version of six digits, whatever follows',
    file: TOKENS,
    find: 'const VERSION = /\\d{6}(?=[ \\t\\n\\v\\f\\r])|\\d{5}/y',
    replace: 'const VERSION = /\\d{5,6}/y',
    tests: READ,
  },
]
