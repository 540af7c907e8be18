import type { Mutation } from './mutation'

const CAPTURE = 'services/cdc-indexer/src/capture'
const PUBLISHER = `${CAPTURE}/kafka/change-publisher.ts`
const PUBLISHED = `${CAPTURE}/kafka/change-publisher.server.test.ts`
const TRANSACTIONS = `${CAPTURE}/mysql/binlog-transactions`
const SNAPSHOTS = `${CAPTURE}/snapshot-property.test.ts`
const WINDOW = `${CAPTURE}/snapshot-window.ts`
const INDEX = 'services/cdc-indexer/src/index'
const VERSIONS = 'shared/src/events/change-event.ts'

/** Of what makes changes leave the database once, in order and all. */
export const CAPTURE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'capture: the checksum of a batch leaves its header out',
    file: 'shared/src/adapters/kafka/produce-request.ts',
    find: 'crc32c(records, crc32c(batch.subarray(CHECKED_FROM)))',
    replace: 'crc32c(records)',
    tests: ['shared/src/adapters/kafka/produce-request.test.ts'],
  },
  {
    name: 'capture: a delete leaves no tombstone',
    file: PUBLISHER,
    find: "    if (op === 'd') messages.push({ key, value: null })\n",
    replace: '',
    tests: [`${CAPTURE}/kafka/record-batches.test.ts`],
  },
  {
    name: 'capture: a VECTOR column is what the driver does not know',
    file: `${CAPTURE}/mysql/binlog-packet.ts`,
    find: 'if (type === VECTOR) types[at] = BLOB',
    replace: 'if (type === VECTOR) types[at] = VECTOR',
    tests: [`${CAPTURE}/mysql/snapshot-store.server.test.ts`],
    needs: 'TEST_DATABASE_URL',
  },
  {
    name: 'capture: each publisher has a transactional id of its own',
    file: PUBLISHER,
    find: 'transactionalId: transactionalId(names),',
    replace: 'transactionalId: transactionalId(names) + Math.random(),',
    tests: [PUBLISHED],
    needs: 'TEST_KAFKA_BROKERS',
  },
  {
    name: 'capture: a publisher does not ask whether it may, once it opened the log',
    file: PUBLISHER,
    find: 'if (!confirmed.has(producer) && !(await mayPublish())) {',
    replace: 'if (!confirmed.has(producer) && !mayPublish) {',
    tests: [PUBLISHED],
    needs: 'TEST_KAFKA_BROKERS',
  },
  {
    name: 'capture: a broker that is alone acknowledges what is not on its disk',
    file: 'shared/src/adapters/kafka/topics.ts',
    find: 'replication === 1 ? { [FLUSH]: 1 } : {}',
    replace: '{}',
    tests: ['tests/faults/power-cut.server.test.ts'],
    needs: 'TEST_KAFKA_BROKERS',
  },
  {
    name: 'capture: the checkpoint passes a batch before it is acknowledged',
    file: `${CAPTURE}/capture-session.ts`,
    find: 'await publisher.publish(batch.changes, () => checkpoints.isLatest(lease))',
    replace:
      'if (batch.commit) writer.offer(batch.commit, true)\n        await publisher.publish(batch.changes, () => checkpoints.isLatest(lease))',
    tests: [`${CAPTURE}/capture-property.test.ts`],
  },
  {
    name: 'capture: a checkpoint is saved whatever the fence says',
    file: `${CAPTURE}/mysql/checkpoint-store.ts`,
    find: 'WHERE name = ? AND fence = ?`',
    replace: 'WHERE name = ? AND fence >= ?`',
    tests: [`${CAPTURE}/mysql/checkpoint-store.server.test.ts`],
    needs: 'TEST_DATABASE_URL',
  },
  {
    name: 'capture: an earlier lease counts as the latest',
    file: `${CAPTURE}/mysql/checkpoint-store.ts`,
    find: "numberCell(row, 'fence') === lease.fence",
    replace: "numberCell(row, 'fence') >= lease.fence",
    tests: [`${CAPTURE}/mysql/checkpoint-store.server.test.ts`],
    needs: 'TEST_DATABASE_URL',
  },
  {
    name: 'capture: a transaction joins the position at its beginning',
    file: `${TRANSACTIONS}.ts`,
    find: '      expected = null\n',
    replace: '      expected = null\n      executed.add(gtid)\n',
    tests: [`${TRANSACTIONS}.test.ts`],
  },
  {
    name: 'capture: the last transaction is known by its number alone',
    file: `${TRANSACTIONS}.ts`,
    find: 'return one.gtid === other.gtid && one.committedAt === other.committedAt',
    replace: 'return one.gtid === other.gtid',
    tests: [`${TRANSACTIONS}.test.ts`],
  },
  {
    name: 'capture: what was captured before comes again from the proof',
    file: `${TRANSACTIONS}.ts`,
    find: 'if (open.isKnown) return\n',
    replace: '\n',
    tests: [`${TRANSACTIONS}.test.ts`],
  },
  {
    name: 'capture: a lower number is taken',
    file: `${TRANSACTIONS}.ts`,
    find: 'if (numberOf(open.gtid) <= highest) {',
    replace: 'if (numberOf(open.gtid) < 0) {',
    tests: [`${TRANSACTIONS}.test.ts`],
  },
  {
    name: 'capture: a compressed transaction is held back behind what came later',
    file: `${CAPTURE}/mysql/binlog-packet.ts`,
    find: 'connection._paused_packets.unshift(packet)',
    replace: 'connection._paused_packets.push(packet)',
    tests: [`${CAPTURE}/mysql/binlog-source.server.test.ts`],
    needs: 'TEST_DATABASE_URL',
  },
  {
    name: 'versions: the ordinal spills into the sequence',
    file: VERSIONS,
    find: 'BigInt(Math.min(transaction?.total_order ?? 0, ORDINAL_MAX))',
    replace: 'BigInt(transaction?.total_order ?? 0)',
    tests: ['shared/src/events', CAPTURE],
  },
  {
    name: 'versions: the epoch is left out',
    file: VERSIONS,
    find: '(BigInt(source.epoch) << SEQUENCE_BITS) | sequence',
    replace: 'sequence',
    tests: ['shared/src/events', CAPTURE],
  },
  {
    name: 'snapshots: rows are read before what the stream brought can be seen',
    file: `${CAPTURE}/snapshots.ts`,
    find: 'if (before !== null) await source.awaitVisible(before)',
    replace: '',
    tests: [SNAPSHOTS],
  },
  {
    name: 'snapshots: a row that changed while it was read is put in all the same',
    file: WINDOW,
    find: '.filter(([key]) => !noted.has(key))',
    replace: '',
    tests: [SNAPSHOTS],
  },
  {
    name: 'snapshots: a row that changed after it was read is put in all the same',
    file: WINDOW,
    find: 'window.chunk?.rows.delete(key)',
    replace: '',
    tests: [SNAPSHOTS],
  },
  {
    name: 'snapshots: rows go into the stream before its high watermark',
    file: WINDOW,
    find: 'numberOf(commit.gtid) < window.chunk.mark',
    replace: 'false',
    tests: [SNAPSHOTS],
  },
  {
    name: 'snapshots: a watermark that the stream has passed is waited for',
    file: WINDOW,
    find: 'if (lastCommit) put(lastCommit)',
    replace: '',
    tests: [SNAPSHOTS],
  },
  {
    name: 'snapshots: the numbers of another server count',
    file: WINDOW,
    find: 'sourceOf(item.gtid) !== serverId || ',
    replace: '',
    tests: [SNAPSHOTS],
  },
  {
    name: 'snapshots: keys that are too many to note are forgotten',
    file: WINDOW,
    find: 'window.noted.size > maxNoted) window.noted = null',
    replace: 'window.noted.size > maxNoted) window.noted.clear()',
    tests: [SNAPSHOTS],
  },
  {
    name: 'snapshots: progress is saved under any lease',
    file: `${CAPTURE}/mysql/snapshot-store.ts`,
    find: 'ON name = ? AND fence = ?',
    replace: 'ON name = ? AND fence >= ?',
    tests: [`${CAPTURE}/mysql/snapshot-store.server.test.ts`],
    needs: 'TEST_DATABASE_URL',
  },
  {
    name: 'sweep: a removal outlives what is written later',
    file: 'scripts/search/sweep.ts',
    find: 'documentVersion({ source: { gtid, epoch }, transaction: null })',
    replace:
      '(1n << 62n) + BigInt(documentVersion({ source: { gtid, epoch }, transaction: null }) > 0n)',
    tests: ['scripts/search'],
  },
  {
    name: 'sweep: nothing is removed',
    file: 'scripts/search/sweep.ts',
    find: 'ids.filter((id) => !rows.has(id))',
    replace: 'ids.filter((id) => rows.has(-id))',
    tests: ['scripts/search'],
  },
  {
    name: 'index: what was refused is passed over',
    file: `${INDEX}/indexer.ts`,
    find: 'if (letters.length > 0) await deadLetters.add(letters)',
    replace: 'void deadLetters.add',
    tests: [INDEX],
  },
  {
    name: 'index: whatever is refused is put aside',
    file: `${INDEX}/indexer.ts`,
    find: 'if (share !== null) {',
    replace: 'if (share === "") {',
    tests: [INDEX],
  },
  {
    name: 'index: every generation is filled by one group',
    file: `${INDEX}/indexer.ts`,
    find: "generation.id === '' ? group",
    replace: "generation.id !== '' ? group",
    tests: [INDEX],
  },
  {
    name: 'index: another generation is not noticed',
    file: `${INDEX}/indexer.ts`,
    find: 'if (now && now.id !== id) return',
    replace: '',
    tests: [INDEX],
  },
]
