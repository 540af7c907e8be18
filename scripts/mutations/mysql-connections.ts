import type { Mutation } from './mutation'

const POOL = 'shared/src/adapters/mysql/pool.ts'
const OPEN = 'shared/src/adapters/mysql/open-connections.ts'
const PRIMARY = 'shared/src/adapters/mysql/primary.ts'
const FENCE = 'shared/src/adapters/sql/freshness-fence.ts'
const POOL_TEST = 'shared/src/adapters/mysql/pool.server.test.ts'
const PRIMARY_TEST = 'shared/src/adapters/mysql/primary.test.ts'
const needs = 'TEST_DATABASE_URL'

/** Of connections to a MySQL whose primary moves. */
export const MYSQL_CONNECTION_MUTATIONS: readonly Mutation[] = [
  {
    name: 'mysql connections: a reader whose engine alone is read-only is a primary',
    file: 'shared/src/adapters/sql/read-only.ts',
    find: ' or @@global.innodb_read_only',
    replace: '',
    tests: ['shared/src/adapters/mysql/read-only.server.test.ts'],
    needs,
  },
  {
    name: 'mysql connections: the fence takes any server for the one it is of',
    file: FENCE,
    find: 'if (row.primary_server === row.this_server) {',
    replace: 'if (row.primary_server !== null) {',
    tests: ['shared/src/adapters/sql/freshness-fence.server.test.ts'],
    needs,
  },
  {
    name: 'mysql connections: a new primary goes on with the numbers of the one before',
    file: FENCE,
    find: 'const JUMP = sql<number>`1 + floor(rand() * 4294967296)`',
    replace: 'const JUMP = sql<number>`1`',
    tests: ['shared/src/adapters/sql/freshness-fence.server.test.ts'],
    needs,
  },
  {
    name: 'mysql connections: they have no lifetime',
    file: OPEN,
    find: "if (now >= member.expiresAt) return 'lifetime'",
    replace: 'if (now < 0) return null',
    tests: [POOL_TEST],
    needs,
  },
  {
    name: 'mysql connections: idle ones stay for ever',
    file: POOL,
    find: 'open.discardExpired()',
    replace: '',
    tests: [POOL_TEST],
    needs,
  },
  {
    name: 'mysql connections: one that is read-only goes back to the pool',
    file: 'shared/src/adapters/mysql/errors.ts',
    find: `  ER.READ_ONLY_MODE,
  ER.INNODB_READ_ONLY,`,
    replace: '  ER.INNODB_READ_ONLY,',
    tests: [POOL_TEST],
    needs,
  },
  {
    name: 'mysql connections: those of the primary before are used on',
    file: POOL,
    find: 'if (wanted === server) return raw',
    replace: 'if (wanted !== null) return raw',
    tests: [POOL_TEST],
    needs,
  },
  {
    name: 'mysql connections: what is in flight on one that is thrown away is never answered',
    file: OPEN,
    find: `    raw.destroy()
    member.use?.abandon()`,
    replace: '    raw.destroy()',
    tests: [POOL_TEST],
    needs,
  },
  {
    name: 'mysql connections: a new primary is written to while others read from the one before',
    file: PRIMARY,
    find: 'time.now() + Math.max(0, LEASE_MS * LEASE_MARGIN - seen.ageMs)',
    replace: 'time.now()',
    tests: [PRIMARY_TEST],
  },
  {
    name: 'mysql connections: a look is good for ever',
    file: PRIMARY,
    find: ' && time.now() - last.at < LEASE_MS',
    replace: '',
    tests: [PRIMARY_TEST],
  },
  {
    name: 'mysql connections: a look that began before a doubt dispels it',
    file: PRIMARY,
    find: ' && last.at > doubtedAt',
    replace: '',
    tests: [PRIMARY_TEST],
  },
  {
    name: 'mysql connections: a session that is destroyed leaves its statement waiting',
    file: 'services/cdc-indexer/src/capture/mysql/session.ts',
    find: `    connection?.destroy()
    abandon()`,
    replace: '    connection?.destroy()',
    tests: ['services/cdc-indexer/src/capture/mysql/session.server.test.ts'],
    needs,
  },
]
