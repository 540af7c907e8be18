import { describe, expect, test } from 'bun:test'
import { OperatorError } from '@sns/shared/errors/operator-error'
import type { BinlogItem } from '../ports/binlog-source'
import { createBinlogBuffer } from './binlog-buffer'
import { tableLayout } from './binlog-rows'
import { createTransactionReader } from './binlog-transactions'

const SERVER = '3e11fa47-71ca-11e1-9e33-c80aa9429562'
const OTHER = '11111111-2222-3333-4444-555555555555'
const LONGLONG = 8
const layout = tableLayout('likes', [
  { name: 'user_id', type: LONGLONG },
  { name: 'post_id', type: LONGLONG },
])

function open() {
  const items: BinlogItem[] = []
  const reader = createTransactionReader({
    from: { gtidSet: `${SERVER}:1-5`, file: 'binlog.000001', pos: 4 },
    database: 'sns',
    serverId: SERVER,
    epoch: 3,
    push: (item) => items.push(item),
    pushIdle: (commit) => items.push(commit()),
  })
  const like = (postId: number) =>
    reader.rows({
      layout,
      rows: [{ before: null, after: { user_id: 1, post_id: postId } }],
      pos: 100,
      bytes: 60,
    })
  const sets = () =>
    items.flatMap((item) => (item.kind === 'commit' ? [item.position.gtidSet] : []))
  return { reader, items, like, sets }
}

describe('TransactionReader', () => {
  test('a position holds a transaction only from its end on', () => {
    const { reader, items, like, sets } = open()
    reader.begin(`${SERVER}:6`, 1_000)
    reader.statement('BEGIN', 'sns', 200)
    like(1)
    like(2)
    expect(sets()).toEqual([])
    reader.commit(300)
    expect(items.map(({ kind }) => kind)).toEqual(['change', 'change', 'commit'])
    expect(items.at(-1)).toEqual({
      kind: 'commit',
      gtid: `${SERVER}:6`,
      position: { gtidSet: `${SERVER}:1-6`, file: 'binlog.000001', pos: 300 },
    })
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

describe('BinlogBuffer', () => {
  const commit = (gtid: string): BinlogItem => ({
    kind: 'commit',
    gtid,
    position: { gtidSet: '', file: '', pos: 0 },
  })

  test('pauses at its bound, resumes at half, and hands over in order', async () => {
    const calls: string[] = []
    const buffer = createBinlogBuffer({
      maxBytes: 1_000,
      pause: () => calls.push('pause'),
      resume: () => calls.push('resume'),
    })
    for (let i = 0; i < 6; i++) buffer.push(commit(String(i)))
    expect(calls).toEqual(['pause'])
    const items = buffer.items()
    const taken: unknown[] = []
    for (let i = 0; i < 3; i++) taken.push((await items.next()).value)
    expect(calls).toEqual(['pause'])
    taken.push((await items.next()).value)
    expect(calls).toEqual(['pause', 'resume'])
    expect(taken).toMatchObject([{ gtid: '0' }, { gtid: '1' }, { gtid: '2' }, { gtid: '3' }])
  })

  test("keeps one commit of others' traffic, made when it is taken, behind everything before it", async () => {
    const buffer = createBinlogBuffer({ maxBytes: 1e6, pause() {}, resume() {} })
    let made = 0
    const idle = (gtid: string) => () => {
      made += 1
      return commit(gtid)
    }
    buffer.push(commit('first'))
    for (let i = 0; i < 1_000; i++) buffer.pushIdle(idle(`idle ${i}`))
    const items = buffer.items()
    expect((await items.next()).value).toMatchObject({ gtid: 'first' })
    expect((await items.next()).value).toMatchObject({ gtid: 'idle 999' })
    expect(made).toBe(1)
  })

  test('hands out what it holds before an error, and nothing once discarded', async () => {
    const failing = createBinlogBuffer({ maxBytes: 1e6, pause() {}, resume() {} })
    failing.push(commit('last'))
    failing.end(new Error('gone'))
    const items = failing.items()
    expect((await items.next()).value).toMatchObject({ gtid: 'last' })
    await expect(items.next()).rejects.toThrow('gone')

    const discarded = createBinlogBuffer({ maxBytes: 1e6, pause() {}, resume() {} })
    discarded.push(commit('never'))
    discarded.discard()
    expect((await discarded.items().next()).done).toBe(true)
  })
})
