import { describe, expect, test } from 'bun:test'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type Cell, EPOCH_SEQUENCES } from '@sns/shared/events/change-event'
import { decodeChange, decodeInexactChange, encodeChange } from '@sns/shared/events/change-record'
import { numberOf } from '@sns/shared/events/gtid'
import { InexactRowError } from '@sns/shared/events/tables'
import type { BinlogItem, BinlogPosition, LastTransaction } from '../ports/binlog-source'
import type { PublishedTransaction } from '../ports/change-publisher'
import { NO_EPOCHS } from '../source-epochs'
import { tableLayout } from './binlog-rows'
import { createTransactionReader } from './binlog-transactions'
import type { StatementEffects } from './statement-effects'
import type { SnapshotCover } from './unread-tables'

const SERVER = '3e11fa47-71ca-11e1-9e33-c80aa9429562'
const OTHER = '11111111-2222-3333-4444-555555555555'
const LONGLONG = 8
const layout = tableLayout('likes', [
  { name: 'user_id', type: LONGLONG },
  { name: 'created_at', type: LONGLONG },
  { name: 'post_id', type: LONGLONG },
])

function open(
  last: LastTransaction | null = null,
  cover?: SnapshotCover,
  effects?: StatementEffects,
) {
  const items: BinlogItem[] = []
  const positions: BinlogPosition[] = []
  const add = (item: BinlogItem) => {
    items.push(item)
    if (item.kind === 'commit') positions.push(item.position())
  }
  const epochs = { last: 3 * EPOCH_SEQUENCES + 5, starts: { [SERVER]: 3 * EPOCH_SEQUENCES } }
  const from = { gtidSet: `${SERVER}:1-5`, last, epochs, file: 'binlog.000001', pos: 4 }
  const reader = createTransactionReader(
    { add },
    { from, database: 'sns', ...(cover && { cover }), ...(effects && { effects }) },
  )
  const like = (postId: number) =>
    reader.rows({
      layout,
      rows: [{ before: null, after: { user_id: 1, post_id: postId, created_at: 1 } }],
      pos: 100,
    })
  const sets = () => positions.map(({ gtidSet }) => gtidSet)
  const sequences = () =>
    items.flatMap((item) =>
      item.kind === 'change' ? (item.event.source.sequence ?? 0) - epochs.last : [],
    )
  return { reader, items, positions, like, sets, sequences }
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
    const epochs = { last: 3 * EPOCH_SEQUENCES + 6, starts: { [SERVER]: 3 * EPOCH_SEQUENCES } }
    expect(positions).toEqual([
      { gtidSet: `${SERVER}:1-6`, last, epochs, file: 'binlog.000001', pos: 300 },
    ])
    expect(items[1]).toMatchObject({
      event: { transaction: { id: `${SERVER}:6`, total_order: 2 }, source: { epoch: 3 } },
    })
  })

  test('a number past 2^53 travels with its digits, as a key too: nothing after it waits', () => {
    const { reader, items } = open()
    reader.begin(`${SERVER}:6`, 1_000)
    reader.statement('BEGIN', 'sns', 200)
    const row = (post_id: Cell, created_at = 1) => ({ user_id: 1, post_id, created_at })
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

  test('names one table for a statement that changes no other, and all once a trigger may have', () => {
    const context = { sqlMode: 0, version: 90_704, databases: ['sns'] }
    const posts: SnapshotCover = { has: (table) => table === 'posts' }
    const start = (cover: SnapshotCover) => {
      const { reader, sets } = open(null, cover, { areNone: true })
      return {
        sets,
        run(n: number, sql: string) {
          reader.begin(`${SERVER}:${n}`, 1_000)
          reader.statement('BEGIN', 'sns', n)
          reader.statement(sql, 'sns', n + 1, context)
          reader.commit(n + 2)
        },
      }
    }
    expect(() => start({ has: () => false }).run(6, 'DELETE FROM posts')).toThrow(
      'run "snapshot posts", and',
    )
    const passed = start(posts)
    passed.run(6, 'DELETE FROM posts')
    expect(passed.sets()).toEqual([`${SERVER}:1-6`])
    expect(() => passed.run(7, 'DO f()')).toThrow('run "snapshot users follows')

    const made = start(posts)
    made.run(6, 'CREATE TRIGGER t AFTER DELETE ON posts FOR EACH ROW DELETE FROM likes')
    expect(() => made.run(7, 'DELETE FROM posts')).toThrow('run "snapshot users follows')

    // It was there when the statement ran.
    const gone = start(posts)
    gone.run(6, 'DELETE FROM posts')
    expect(() => gone.run(7, 'DROP TRIGGER t')).toThrow(`transaction ${SERVER}:6 was written while`)
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
    // A trigger may have changed any.
    expect(() => covered.reader.statement('DELETE FROM likes', 'sns', 300)).toThrow(
      'run "snapshot", and start cdc-indexer',
    )
  })

  test('is in another history where the last transaction has another time', () => {
    const { reader } = open({ gtid: `${SERVER}:5`, committedAt: 900 })
    expect(() => reader.begin(`${SERVER}:5`, 901)).toThrow(/not the server that capture knew/)
  })

  test('is in another history where captured rows come before the last transaction', () => {
    const { reader, like } = open({ gtid: `${SERVER}:5`, committedAt: 900 })
    reader.begin(`${OTHER}:6`, 900)
    reader.statement('BEGIN', 'sns', 200)
    expect(() => like(1)).toThrow(
      `not the server that capture knew: transaction ${OTHER}:6 changed likes here before ${SERVER}:5`,
    )
  })

  test('what was published from another log keeps its sequence, though members of a group log in other orders', () => {
    const group = (...order: readonly number[]) => order.map((n) => `${OTHER}:${n}`)
    const read = (gtids: readonly string[], published: readonly PublishedTransaction[] = []) => {
      const items: BinlogItem[] = []
      const add = (item: BinlogItem) => items.push(item)
      const last = { gtid: `${OTHER}:9`, committedAt: 9 }
      const from = { gtidSet: `${OTHER}:1-7:9`, last, epochs: NO_EPOCHS, file: '', pos: 4 }
      const reader = createTransactionReader({ add }, { from, published, database: 'sns' })
      for (const gtid of gtids) {
        reader.begin(gtid, gtid.endsWith(':9') ? 9 : 1)
        const after = { user_id: 1, post_id: 1, created_at: 1 }
        reader.rows({ layout, rows: [{ before: null, after }], pos: 100 })
        reader.commit(300)
      }
      return items.flatMap((item) =>
        item.kind === 'change'
          ? { gtid: item.event.source.gtid, sequence: item.event.source.sequence ?? 0 }
          : [],
      )
    }
    const published = read(group(9, 8, 12, 11, 10))
    const again = read(group(8, 9, 10, 11, 12, 13), published)
    expect(again).toEqual([
      ...published.toSorted((a, b) => numberOf(a.gtid) - numberOf(b.gtid)),
      { gtid: `${OTHER}:13`, sequence: Math.max(...published.map(({ sequence }) => sequence)) + 1 },
    ])
  })

  test('passes over what a server wrote without captured rows before the last transaction came', () => {
    const { reader, items, like, sets } = open({ gtid: `${SERVER}:5`, committedAt: 900 })
    reader.begin(`${OTHER}:1`, 800)
    reader.statement('CREATE USER x', 'mysql', 200)
    reader.begin(`${SERVER}:5`, 900)
    reader.statement('BEGIN', 'sns', 250)
    reader.commit(300)
    expect(items).toEqual([])
    reader.begin(`${OTHER}:2`, 1_000)
    like(1)
    reader.commit(400)
    expect(sets()).toEqual([`${OTHER}:1-2,${SERVER}:1-5`])
  })

  test('counts on whoever writes: a replica that took over, a group, a tag, numbers that go back', () => {
    const { reader, like, sequences, positions } = open()
    const gtids = [
      `${SERVER}:6`,
      `${OTHER}:1`,
      `${OTHER}:2`,
      `${SERVER}:7`,
      `${SERVER}:tag:1`,
      `${OTHER}:1000002`,
      `${OTHER}:4`,
      `${OTHER}:5`,
    ]
    for (const gtid of gtids) {
      reader.begin(gtid, 1_000)
      like(1)
      reader.commit(300)
    }
    const counted = sequences()
    expect(counted).toEqual([...counted].sort((a, b) => a - b))
    expect(new Set(counted).size).toBe(gtids.length)
    // A replay counts alike, wherever it begins.
    for (const [at, from] of positions.entries()) {
      const again: BinlogItem[] = []
      const add = (item: BinlogItem) => again.push(item)
      const replay = createTransactionReader(
        { add },
        { from: { ...from, last: null }, database: 'sns' },
      )
      for (const gtid of gtids.slice(at + 1)) {
        replay.begin(gtid, 1_000)
        replay.commit(300)
      }
      const told = again.flatMap((item) => (item.kind === 'commit' ? item.sequence : []))
      expect(told).toEqual(counted.slice(at + 1).map((n) => n + 3 * EPOCH_SEQUENCES + 5))
    }
  })

  test('gives each transaction one sequence where sources with high numbers write in turns', () => {
    const { reader, like, sequences } = open()
    const turns = 50
    for (let n = 0; n < turns; n++) {
      for (const gtid of [`${SERVER}:${1_000_000 + n}`, `${SERVER}:tag:${700 + n}`]) {
        reader.begin(gtid, 1_000)
        like(1)
        reader.commit(300)
      }
    }
    const [first = 0, ...rest] = sequences()
    expect(rest.at(-1)).toBe(first + 2 * turns - 1)
  })

  test.each<[string, (given: ReturnType<typeof open>) => void]>([
    ['rows without a GTID', ({ like }) => like(1)],
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
