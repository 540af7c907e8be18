import { describe, expect, test } from 'bun:test'
import { OperatorError } from '@sns/shared/errors/operator-error'
import type { BinlogItem, BinlogPosition } from '../ports/binlog-source'
import { tableLayout } from './binlog-rows'
import { createTransactionReader } from './binlog-transactions'

const SERVER = '3e11fa47-71ca-11e1-9e33-c80aa9429562'
const OTHER = '11111111-2222-3333-4444-555555555555'
const LONGLONG = 8
const layout = tableLayout('likes', [
  { name: 'user_id', type: LONGLONG },
  { name: 'created_at', type: LONGLONG },
  { name: 'post_id', type: LONGLONG },
])

function open() {
  const items: BinlogItem[] = []
  const positions: BinlogPosition[] = []
  const add = (item: BinlogItem) => {
    items.push(item)
    if (item.kind === 'commit') positions.push(item.position())
  }
  const from = { gtidSet: `${SERVER}:1-5`, file: 'binlog.000001', pos: 4 }
  const reader = createTransactionReader(
    { add },
    { from, database: 'sns', serverId: SERVER, epoch: 3 },
  )
  const like = (postId: number) =>
    reader.rows({
      layout,
      rows: [{ before: null, after: { user_id: 1, post_id: postId, created_at: 1 } }],
      pos: 100,
      bytes: 60,
    })
  const sets = () => positions.map(({ gtidSet }) => gtidSet)
  return { reader, items, positions, like, sets }
}

describe('TransactionReader', () => {
  test('a position holds a transaction only from its end on', () => {
    const { reader, items, positions, like, sets } = open()
    reader.begin(`${SERVER}:6`, 1_000)
    reader.statement('BEGIN', 'sns', 200)
    like(1)
    like(2)
    expect(sets()).toEqual([])
    reader.commit(300)
    expect(items.map(({ kind }) => kind)).toEqual(['change', 'change', 'commit'])
    expect(items.at(-1)).toMatchObject({ kind: 'commit', gtid: `${SERVER}:6` })
    expect(positions).toEqual([{ gtidSet: `${SERVER}:1-6`, file: 'binlog.000001', pos: 300 }])
    expect(items[1]).toMatchObject({
      event: { transaction: { id: `${SERVER}:6`, total_order: 2 }, source: { epoch: 3 } },
    })
  })

  test('definitions and transactions of others end by themselves', () => {
    const { reader, sets } = open()
    reader.begin(`${OTHER}:1`, 1_000)
    reader.statement('CREATE TABLE x (id INT)', 'elsewhere', 200)
    reader.begin(`${SERVER}:6`, 1_000)
    reader.statement('BEGIN', 'elsewhere', 300)
    reader.statement('CREATE TABLE x START TRANSACTION', 'elsewhere', 350)
    reader.rotate('binlog.000002')
    reader.begin(`${SERVER}:7`, 1_000)
    reader.statement('BEGIN', 'sns', 30)
    reader.statement('ROLLBACK', 'sns', 40)
    expect(sets()).toEqual([
      `${OTHER}:1,${SERVER}:1-5`,
      `${OTHER}:1,${SERVER}:1-6`,
      `${OTHER}:1,${SERVER}:1-7`,
    ])
  })

  test.each<[string, (given: ReturnType<typeof open>) => void]>([
    ['rows without a GTID', ({ like }) => like(1)],
    [
      'rows of another server',
      ({ reader, like }) => {
        reader.begin(`${OTHER}:6`, 1)
        like(1)
      },
    ],
    [
      'rows under a tag',
      ({ reader, like }) => {
        reader.begin(`${SERVER}:tag:6`, 1)
        like(1)
      },
    ],
    [
      'rows of an XA transaction',
      ({ reader, like }) => {
        reader.begin(`${SERVER}:6`, 1)
        reader.statement("XA START X'61',X'',1", 'sns', 10)
        like(1)
      },
    ],
    [
      'rows rolled back to a savepoint inside the log',
      ({ reader, like }) => {
        reader.begin(`${SERVER}:6`, 1)
        reader.statement('BEGIN', 'sns', 10)
        like(1)
        reader.statement('ROLLBACK TO `here`', 'sns', 20)
      },
    ],
    [
      'rows without an end',
      ({ reader, like }) => {
        reader.begin(`${SERVER}:6`, 1)
        reader.statement('BEGIN', 'sns', 10)
        like(1)
        reader.begin(`${SERVER}:7`, 1)
      },
    ],
  ])('refuses %s', (_what, run) => {
    expect(() => run(open())).toThrow(OperatorError)
  })
})
