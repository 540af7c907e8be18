import { expect, test } from 'bun:test'
import { encodeChange } from '@sns/shared/events/change-record'
import { type BacklogOptions, createBacklog, heldBytes } from './backlog'
import type { BinlogItem, BinlogPosition } from './ports/binlog-source'
import { fakeChange, positionAfter } from './testing/fakes'

const BYTES = heldBytes(encodeChange(fakeChange(1, 'fake:1', 1)))

function open(options: Partial<BacklogOptions> = {}) {
  const held: number[] = []
  const backlog = createBacklog(
    { onBytes: (bytes) => held.push(bytes) },
    { maxBatchRows: 4, maxBatchBytes: 100 * BYTES, maxBytes: 10 * BYTES, ...options },
  )
  return { backlog, held }
}

const change = (id: number): BinlogItem => ({
  kind: 'change',
  event: fakeChange(id, 'fake:1', id),
})

const commit = (count: number, position = () => positionAfter(count)): BinlogItem => ({
  kind: 'commit',
  gtid: `fake:${count}`,
  sequence: count,
  position,
})

test('is full at its bound, has room again at two thirds of it, and hands over in order', async () => {
  const { backlog, held } = open({ maxBatchRows: 2 })
  const rooms = Array.from({ length: 11 }, (_, at) => backlog.add(change(at % 10)))
  expect(rooms.map((room) => room !== null)).toEqual([...Array(9).fill(false), true, true])
  let isRoom = false
  Promise.all(rooms).then(() => {
    isRoom = true
  })
  const taken: unknown[] = []
  const counts: number[] = []
  while (!isRoom) {
    const batch = await backlog.next()
    if (!batch) break
    taken.push(...batch.changes.map(({ value }) => JSON.parse(value).after.id))
    backlog.done(batch)
    counts.push(held.at(-1) ?? Number.NaN)
    await Promise.resolve().then(() => {})
  }
  expect(taken).toEqual([0, 1, 2, 3, 4, 5])
  expect(counts).toEqual([9, 7, 5].map((count) => count * BYTES))
})

test("writes out one position of others' traffic, when it is taken, behind everything before it", async () => {
  const { backlog } = open()
  let written = 0
  const position = (count: number) => (): BinlogPosition => {
    written += 1
    return positionAfter(count)
  }
  backlog.add(change(1))
  backlog.add(commit(1, position(1)))
  for (let count = 2; count <= 1_000; count++) backlog.add(commit(count, position(count)))
  const batch = await backlog.next()
  expect(batch?.changes).toHaveLength(1)
  expect(batch?.commit).toEqual(positionAfter(1_000))
  expect(written).toBe(1)
})

test('a full batch keeps the position of its own last commit', async () => {
  const { backlog } = open({ maxBatchRows: 1 })
  let done = 0
  const position = () => positionAfter(done)
  for (const id of [1, 2, 3]) {
    backlog.add(change(id))
    done = id
    backlog.add(commit(id, position))
  }
  for (const id of [1, 2, 3]) expect((await backlog.next())?.commit).toEqual(positionAfter(id))
})

test('hands out what it holds before an error, and nothing once abandoned', async () => {
  const failing = open().backlog
  failing.add(change(1))
  failing.close(new Error('gone'))
  expect(failing.add(change(2))).toBeNull()
  expect((await failing.next())?.changes).toHaveLength(1)
  await expect(failing.next()).rejects.toThrow('gone')

  const abandoned = open().backlog
  abandoned.add(change(1))
  abandoned.abandon(new Error('lost'))
  await expect(abandoned.next()).rejects.toThrow('lost')
})
