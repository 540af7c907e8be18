import type { Mutation } from './mutation'

const CAPTURE = 'services/cdc-indexer/src/capture'
const NEEDED = {
  tests: [`${CAPTURE}/kafka/repartition.server.test.ts`],
  needs: 'TEST_KAFKA_BROKERS',
} as const

/** Of topics whose number of partitions changes. */
export const TOPIC_MUTATIONS: readonly Mutation[] = [
  {
    name: 'topics: partitions that were added are used at once',
    file: `${CAPTURE}/kafka/change-publisher.ts`,
    find: 'was !== undefined && was !== is',
    replace: 'false',
    ...NEEDED,
  },
  {
    name: 'topics: a session begins whatever size the topics have',
    file: `${CAPTURE}/kafka/change-publisher.ts`,
    find: 'if (noted) requireSizes(names, noted.partitions, partitions)',
    replace: '',
    ...NEEDED,
  },
  {
    name: 'topics: consumers read records that were placed by another size',
    file: 'shared/src/adapters/kafka/change-log.ts',
    find: 'partition >= was && Number(high) > 0',
    replace: 'partition < 0',
    ...NEEDED,
  },
  {
    name: 'topics: new ones are noted before they hold the records',
    file: `${CAPTURE}/kafka/topic-copy.ts`,
    find: 'if (ends.size === 0) return\n',
    replace: 'if (ends.size >= 0) return\n',
    ...NEEDED,
  },
  {
    name: 'topics: what a run that was cut off left of the new ones stays',
    file: `${CAPTURE}/kafka/repartition.ts`,
    find: '  await ask((admin) => deleteTopics(admin, namesOf(next)))\n',
    replace: '',
    ...NEEDED,
  },
  {
    name: 'topics: consumers read the first ones for ever',
    file: 'shared/src/adapters/kafka/change-log.ts',
    find: 'generation: (await notedNow())?.generation ?? 1',
    replace: 'generation: 1',
    ...NEEDED,
  },
]
