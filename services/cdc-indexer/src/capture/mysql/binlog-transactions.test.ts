import { describe, expect, test } from 'bun:test'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { decodeChange, decodeInexactChange, encodeChange } from '@sns/shared/events/change-record'
import { InexactRowError } from '@sns/shared/events/tables'
import type { BinlogItem, BinlogPosition, LastTransaction } from '../ports/binlog-source'
import { tableLayout } from './binlog-rows'
import { createTransactionReader } from './binlog-transactions'
import type { SnapshotCover } from './unread-tables'

const SERVER = '3e11fa47-71ca-11e1-9e33-c80aa9429562'
const OTHER = '11111111-2222-3333-4444-555555555555'
const LONGLONG = 8
const layout = tableLayout('likes', [
  { name: 'user_id', type: LONGLONG },
  { name: 'created_at', type: LONGLONG },
  { name: 'post_id', type: LONGLONG },
])

function open(last: LastTransaction | null = null, cover?: SnapshotCover) {
  const items: BinlogItem[] = []
  const positions: BinlogPosition[] = []
  const add = (item: BinlogItem) => {
    items.push(item)
    if (item.kind === 'commit') positions.push(item.position())
  }
  const from = { gtidSet: `${SERVER}:1-5`, last, file: 'binlog.000001', pos: 4 }
  const reader = createTransactionReader(
    { add },
    { from, database: 'sns', serverId: SERVER, epoch: 3, ...(cover && { cover }) },
  )
  const like = (postId: number) =>
    reader.rows({
      layout,
      rows: [{ before: null, after: { user_id: 1, post_id: postId, created_at: 1 } }],
      pos: 100,
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
    const last = { gtid: `${SERVER}:6`, committedAt: 1_000 }
    expect(positions).toEqual([{ gtidSet: `${SERVER}:1-6`, last, file: 'binlog.000001', pos: 300 }])
    expect(items[1]).toMatchObject({
      event: { transaction: { id: `${SERVER}:6`, total_order: 2 }, source: { epoch: 3 } },
    })
  })

  test('a number past 2^53 travels with its digits, as a key too: nothing after it waits', () => {
    const { reader, items } = open()
    reader.begin(`${SERVER}:6`, 1_000)
    reader.statement('BEGIN', 'sns', 200)
    const row = (post_id: unknown, created_at = 1) => ({ user_id: 1, post_id, created_at })
    const [one, other] = ['9007199254740993', '9007199254740995']
    const rows = [
      { before: null, after: row(one) },
      { before: row(one), after: row(one, 2) },
      { before: row(one), after: row(other) },
      { before: row(other), after: null },
    ]
    reader.rows({ layout, rows, pos: 100 })
    reader.commit(300)
    const changes = items.flatMap((item) =>
      item.kind === 'change' ? encodeChange(item.event) : [],
    )
    expect(changes.map(({ op, key }) => [op, key])).toEqual([
      ['c', `{"user_id":1,"post_id":${one}}`],
      ['u', `{"user_id":1,"post_id":${one}}`],
      ['d', `{"user_id":1,"post_id":${one}}`],
      ['c', `{"user_id":1,"post_id":${other}}`],
      ['d', `{"user_id":1,"post_id":${other}}`],
    ])
    for (const { value } of changes) {
      expect(value).toMatch(/"post_id":900719925474099[35]/)
      expect(() => decodeChange('likes', value)).toThrow(InexactRowError)
      expect(decodeInexactChange('likes', value).source.gtid).toBe(`${SERVER}:6`)
    }
  })

  test('a position that is written out late does not hold what began since', () => {
    const { reader, items, like } = open()
    reader.begin(`${SERVER}:6`, 1_000)
    reader.commit(300)
    reader.begin(`${SERVER}:7`, 1_000)
    like(1)
    const commit = items.find((item) => item.kind === 'commit')
    expect(commit?.kind === 'commit' && commit.position().gtidSet).toBe(`${SERVER}:1-6`)
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

  test('begins with the last transaction of before, and passes over what is in it', () => {
    const { reader, items, like, sets } = open({ gtid: `${SERVER}:5`, committedAt: 900 })
    reader.begin(`${SERVER}:5`, 900)
    reader.statement('BEGIN', 'sns', 100)
    reader.statement('TRUNCATE posts', 'sns', 150)
    like(1)
    reader.commit(200)
    expect(items).toEqual([])
    reader.begin(`${SERVER}:6`, 1_000)
    reader.statement('BEGIN', 'sns', 300)
    like(2)
    reader.commit(400)
    expect(items.map(({ kind }) => kind)).toEqual(['change', 'commit'])
    expect(sets()).toEqual([`${SERVER}:1-6`])
  })

  test('names the table whose snapshot lets it go on, and passes what one stands for', () => {
    const { reader } = open()
    reader.begin(`${SERVER}:6`, 1_000)
    expect(() => reader.statement('DROP TABLE likes, users', 'sns', 100)).toThrow(
      /run "snapshot likes users", and start cdc-indexer/,
    )
    const covered = open(null, { has: (table, gtid) => table === 'likes' && gtid.endsWith(':6') })
    covered.reader.begin(`${SERVER}:6`, 1_000)
    covered.reader.statement('TRUNCATE likes', 'sns', 100)
    expect(covered.sets()).toEqual([`${SERVER}:1-6`])
    covered.reader.begin(`${SERVER}:7`, 1_000)
    expect(() => covered.reader.statement('TRUNCATE likes', 'sns', 200)).toThrow('snapshot likes')
    covered.reader.begin(`${SERVER}:8`, 1_000)
    expect(() => covered.reader.statement('DELETE FROM likes', 'sns', 300)).toThrow('--from-here')
  })

  test.each([
    ['other time', `${SERVER}:5`, 901],
    ['other number', `${SERVER}:6`, 900],
  ])('is in another history where the log begins with a transaction of an %s', (_, gtid, time) => {
    const { reader } = open({ gtid: `${SERVER}:5`, committedAt: 900 })
    expect(() => reader.begin(gtid, time)).toThrow(/not the server that capture knew/)
  })

  test.each<[string, (given: ReturnType<typeof open>) => void]>([
    [
      'rows under a number lower than one before',
      ({ reader, like }) => {
        reader.begin(`${SERVER}:8`, 1)
        reader.commit(100)
        reader.begin(`${SERVER}:7`, 1)
        like(1)
      },
    ],
    [
      'rows under a number that the checkpoint was past',
      ({ reader, like }) => {
        reader.begin(`${SERVER}:4`, 1)
        like(1)
      },
    ],
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
