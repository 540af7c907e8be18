import type { Mutation } from './mutation'

const COUNTS = 'shared/src/adapters/kafka/record-counts.ts'
const COUNTED = ['shared/src/adapters/kafka/record-counts.test.ts']
const WORKER = 'shared/src/adapters/kafka/partition-worker.ts'
const WORKED = ['shared/src/adapters/kafka/partition-worker.test.ts']
const SOURCES = 'shared/src/adapters/mysql/log-sources.ts'
const ASKED = ['shared/src/adapters/mysql/log-sources.server.test.ts']

/** Of how records that come without a sequence are counted. */
export const SEQUENCE_MUTATIONS: readonly Mutation[] = [
  {
    name: "sequences: a record of Debezium's has its GTID's number",
    file: COUNTS,
    find: 'const sequence = Math.max(last + 1, epoch === null ? 0 : sequenceOf(source))',
    replace: 'const sequence = last - last + sequenceOf(source)',
    tests: COUNTED,
  },
  {
    name: 'sequences: records of ours keep theirs, however low',
    file: COUNTS,
    find: 'Math.max(last + 1, epoch === null ? 0 : sequenceOf(source))',
    replace: 'epoch === null ? last + 1 : sequenceOf(source)',
    tests: COUNTED,
  },
  {
    name: 'sequences: a repeat is one, whatever came between',
    file: COUNTS,
    find: 'if (isOldest || !now || !isNext(now.gtid, gtid)) {',
    replace: 'if (!now) {',
    tests: COUNTED,
  },
  {
    name: 'sequences: the oldest that is remembered is a repeat like others',
    file: COUNTS,
    find: 'before !== undefined && !isOldest',
    replace: 'before !== undefined',
    tests: COUNTED,
  },
  {
    name: 'sequences: a GTID is one transaction for ever',
    file: COUNTS,
    find: 'return `${gtid} ${committedAt}`',
    replace: 'return committedAt ? gtid : gtid',
    tests: COUNTED,
  },
  {
    name: 'sequences: nobody asks whether a source is known',
    file: COUNTS,
    find: 'if (now && sourceOf(now.gtid) !== sourceOf(gtid)) await recognize(gtid)',
    replace: 'void recognize',
    tests: COUNTED,
  },
  {
    name: 'sequences: who takes a partition over counts from the beginning',
    file: COUNTS,
    find: 'createRecordCounter(shared, counts.get(name) ?? null)',
    replace: 'createRecordCounter(shared, counts.get(`${name}.`) ?? null)',
    tests: COUNTED,
  },
  {
    name: 'sequences: the count is not kept with the offset',
    file: WORKER,
    find: 'metadata: count && writeCount(count),',
    replace: 'metadata: count && writeCount(count) && null,',
    tests: WORKED,
  },
  {
    name: 'sequences: an unknown source is known to the database',
    file: SOURCES,
    find: 'if (!GTID.test(gtid) || !(await isExecuted(gtid))) {',
    replace: 'if (!GTID.test(gtid) && !(await isExecuted(gtid))) {',
    tests: ASKED,
    needs: 'TEST_DATABASE_URL',
  },
  {
    name: 'sequences: counting begins below what capture gave',
    file: SOURCES,
    find: 'return Math.max(Number(last ?? 0), Number(row?.counted ?? 0), inEpoch)',
    replace: 'return Math.max(Number(last ?? 0) * 0, Number(row?.counted ?? 0), inEpoch * 0)',
    tests: ASKED,
    needs: 'TEST_DATABASE_URL',
  },
]
