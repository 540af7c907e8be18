import { expect, test } from 'bun:test'
import type { PostId, UserId } from '@sns/shared/domain/id'
import fc from 'fast-check'
import { createPieceCache, isSameEntry, type PieceEntry } from './piece-cache'

const FIRST = 364_000_000_000_000

function entry(text: string, { author = 1, names = 0 } = {}): PieceEntry {
  const source = Buffer.from(text)
  return { piece: { authorId: author as UserId, source, from: 0, to: source.length }, names }
}

function read(found: PieceEntry | undefined) {
  if (!found) return undefined
  const { piece, names } = found
  if (!piece) return { text: null, names }
  const text = piece.source.toString('utf8', piece.from, piece.to)
  return { text, author: piece.authorId, names }
}

test('whatever is kept is what was given last, within the bounds', () => {
  const post = fc.integer({ min: 1, max: 60 }).map((n) => (FIRST + n) as PostId)
  const operation = fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('set'), post, size: fc.nat(900) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('set'), post, size: fc.nat(4_000) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('none'), post, size: fc.constant(0) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('get'), post, size: fc.constant(0) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('delete'), post, size: fc.constant(0) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear'), post, size: fc.constant(0) }) },
  )
  let [kept, letGo] = [0, 0]
  fc.assert(
    fc.property(fc.array(operation, { minLength: 50, maxLength: 400 }), (operations) => {
      const cache = createPieceCache({ maxBytes: 8_000 })
      const given = new Map<PostId, ReturnType<typeof read>>()
      for (const [at, { kind, post, size }] of operations.entries()) {
        if (kind === 'clear') {
          cache.clear()
          given.clear()
        } else if (kind === 'delete') {
          cache.delete(post)
          given.delete(post)
        } else if (kind === 'none') {
          cache.set(post, { piece: null, names: at })
          given.set(post, { text: null, names: at })
        } else if (kind === 'set') {
          const text = `${at} `.repeat(Math.ceil(size / 4))
          cache.set(post, entry(text, { author: at + 1, names: at }))
          given.set(post, { text, author: (at + 1) as UserId, names: at })
        } else {
          const found = read(cache.get(post))
          if (found) expect<unknown>(found).toEqual(given.get(post))
        }
      }
      const keys = [...cache.keys()]
      kept += keys.length
      letGo += given.size - keys.length
      expect(keys).toHaveLength(cache.size)
      for (const key of keys) expect<unknown>(read(cache.peek(key))).toEqual(given.get(key))
      // What an entry takes beside its piece is counted too.
      const bytes = keys.reduce(
        (sum, key) => sum + 128 + (read(cache.peek(key))?.text?.length ?? 0),
        0,
      )
      expect(bytes).toBeLessThanOrEqual(8_000)
    }),
    { numRuns: 300 },
  )
  // Both were met.
  expect(kept).toBeGreaterThan(100)
  expect(letGo).toBeGreaterThan(100)
})

test('what is used stays while others go, and what is held stays as it is', () => {
  const cache = createPieceCache({ maxBytes: 64_000 })
  const [used, idle] = [1, 2] as PostId[] as [PostId, PostId]
  cache.set(used, entry('used'))
  cache.set(idle, entry('idle'))
  const held = cache.get(used)
  for (let n = 10; n < 5_000; n += 1) {
    cache.set(n as PostId, entry('x'.repeat(200)))
    cache.get(used)
  }
  expect(read(cache.get(used))?.text).toBe('used')
  expect(cache.get(idle)).toBeUndefined()
  expect(read(held)?.text).toBe('used')
  expect(cache.size).toBeGreaterThan(100)
  expect(cache.size).toBeLessThan(64_000 / 300)
})

test('what is written again stays when the segment that it was in goes', () => {
  const cache = createPieceCache({ maxBytes: 64_000 })
  const post = 1 as PostId
  const fill = (from: number, count: number) => {
    for (let n = from; n < from + count; n += 1) cache.set(n as PostId, entry('x'.repeat(200)))
  }
  cache.set(post, entry('before'))
  fill(1_000, 150)
  cache.set(post, entry('again'))
  fill(2_000, 50)
  expect(cache.peek(1_000 as PostId)).toBeUndefined()
  expect(read(cache.peek(post))?.text).toBe('again')
})

test('a piece larger than a segment is not kept, nor what was there before', () => {
  const cache = createPieceCache({ maxBytes: 64_000 })
  const post = 1 as PostId
  cache.set(post, entry('before'))
  cache.set(post, entry('x'.repeat(10_000)))
  expect(cache.get(post)).toBeUndefined()
})

test('an entry is the same until it is written again', () => {
  const cache = createPieceCache({ maxBytes: 64_000 })
  const post = 1 as PostId
  cache.set(post, entry('one'))
  const before = cache.peek(post)
  expect(isSameEntry(before, cache.peek(post) as PieceEntry)).toBe(true)
  cache.set(post, entry('one'))
  expect(isSameEntry(before, cache.peek(post) as PieceEntry)).toBe(false)
})

test('each of many thousands has its bytes, however often the rows have grown', () => {
  const cache = createPieceCache({ maxBytes: 64 * 2 ** 20 })
  const COUNT = 20_000
  const post = (n: number) => (FIRST + n) as PostId
  for (let n = 0; n < COUNT; n += 1) {
    cache.set(post(n), entry(`text ${n}`, { author: n + 1, names: n }))
    // The one that was written, and the first: a row that was not carried over shows at once.
    for (const at of [n, 0]) {
      expect<unknown>(read(cache.peek(post(at)))).toEqual({
        text: `text ${at}`,
        author: at + 1,
        names: at,
      })
    }
  }
  for (let n = 0; n < COUNT; n += 1) expect(read(cache.peek(post(n)))?.text).toBe(`text ${n}`)
  // Rows that were given back are used again, and are nobody's bytes but the new ones'.
  for (let n = 0; n < COUNT; n += 2) cache.delete(post(n))
  for (let n = 0; n < COUNT; n += 2) cache.set(post(COUNT + n), entry(`again ${n}`))
  for (let n = 1; n < COUNT; n += 2) {
    expect(read(cache.peek(post(n)))?.text).toBe(`text ${n}`)
    expect(cache.peek(post(n - 1))).toBeUndefined()
    expect(read(cache.peek(post(COUNT + n - 1)))?.text).toBe(`again ${n - 1}`)
  }
})
