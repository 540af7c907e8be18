import type { Mutation } from './mutation'

const MYSQL = 'services/cdc-indexer/src/capture/mysql'
const READ = [`${MYSQL}/values.server.test.ts`]
const needs = 'TEST_DATABASE_URL'

/** Of what makes a value the same by SELECT, in the binlog and in a snapshot. */
export const VALUE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'values: the fraction of a negative TIME counts forward',
    file: `${MYSQL}/values/times.ts`,
    find: 'const amount = Math.abs(packed)\n',
    replace: 'const amount = packed < 0 ? -packed + 1 : packed\n',
    tests: READ,
    needs,
  },
  {
    name: 'values: a day that no calendar has is the next one',
    file: `${MYSQL}/values/times.ts`,
    find: 'if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) {',
    replace: 'if (month === 0) {',
    tests: READ,
    needs,
  },
  {
    name: 'values: an ENUM that MySQL refused cannot be read',
    file: `${MYSQL}/values/choices.ts`,
    find: "return number === 0 ? '' : choiceOf(choices, number - 1)",
    replace: 'return choiceOf(choices, number - 1)',
    tests: READ,
    needs,
  },
  {
    name: 'values: a comma stands behind an empty member of a SET',
    file: `${MYSQL}/values/choices.ts`,
    find: "text += text === '' ? choice : `,${choice}`",
    replace: 'text += `${choice},`',
    tests: READ,
    needs,
  },
  {
    name: 'values: the year 0000 is 1900',
    file: `${MYSQL}/values/column-reader.ts`,
    find: 'return kept === 0 ? 0 : 1_900 + kept',
    replace: 'return 1_900 + kept',
    tests: READ,
    needs,
  },
  {
    name: 'values: a FLOAT is selected as its column shows it',
    file: `${MYSQL}/values/selected-cell.ts`,
    find: "if (type === 'float' || type === 'double') return",
    replace: "if (type === 'none') return",
    tests: READ,
    needs,
  },
  {
    name: 'values: characters of three bytes are not known',
    file: `${MYSQL}/charset-store.ts`,
    find: "new Set(['ujis', 'eucjpms'])",
    replace: 'new Set()',
    tests: READ,
    needs,
  },
  {
    name: 'values: sessions take over the settings of the server',
    file: `${MYSQL}/session.ts`,
    find: "time_zone = '+00:00', sql_mode = 'STRICT_TRANS_TABLES',",
    replace: '',
    tests: [`${MYSQL}/session.server.test.ts`],
    needs,
  },
  {
    name: 'values: one that cannot be read ends capture',
    file: `${MYSQL}/values/column-reader.ts`,
    find: "return { unreadable: bytes.toString('base64'), problem: asError(error).message }",
    replace: 'throw asError(error)',
    tests: [`${MYSQL}/values/column-reader.test.ts`],
  },
  {
    name: 'values: a row with one that could not be read is used',
    file: 'shared/src/events/tables.ts',
    find: '    refuseUnreadable(value, what)\n',
    replace: '',
    tests: ['shared/src/adapters/kafka/partition-worker.test.ts'],
  },
]
