import type { Mutation } from './mutation'

const REPLICAS = 'shared/src/adapters/mysql/replicas.ts'
const READS = 'shared/src/adapters/mysql/replica-reads.ts'
const tests = ['shared/src/adapters/mysql/replicas.test.ts']

/** Of reads at replicas of MySQL. */
export const REPLICA_MUTATIONS: readonly Mutation[] = [
  {
    name: 'replicas: a read does not wait for what it must see',
    file: READS,
    find: 'select wait_for_executed_gtid_set(${executed}, ${waitMs / 1_000}) as isLate',
    replace: 'select 0 as isLate',
    tests: ['shared/src/adapters/mysql/replica-reads.server.test.ts'],
    needs: 'TEST_MYSQL_PAIR',
  },
  {
    name: 'replicas: a read must see nothing of before',
    file: REPLICAS,
    find: "    const { executed } = await primary.position('')\n    try {",
    replace: "    const executed = ''\n    try {",
    tests,
  },
  {
    name: 'replicas: one that has what the primary has not is read',
    file: REPLICAS,
    find: "if (!(await isOfLineage(executed))) return fail(each, 'diverged', null)",
    replace: '',
    tests,
  },
  {
    name: 'replicas: one is read on what was found under another primary',
    file: REPLICAS,
    find: '    for (const each of followed) each.server = null\n',
    replace: '',
    tests,
  },
  {
    name: 'replicas: a look that a move overtook counts',
    file: REPLICAS,
    find: '      if (moves !== before) return\n',
    replace: '',
    tests,
  },
  {
    name: 'replicas: what was read while another server became the primary is shown',
    file: REPLICAS,
    find: 'return moves === before ? read : null',
    replace: 'return before <= moves ? read : null',
    tests,
  },
  {
    name: 'replicas: each read waits for one that is behind',
    file: REPLICAS,
    find: "      if (read === null) setAside(each, 'behind', null)\n",
    replace: '',
    tests,
  },
]
