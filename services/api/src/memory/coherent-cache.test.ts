import { heapStats } from 'bun:jsc'
import { describe, expect, test } from 'bun:test'
import type { Belief } from '@sns/shared/ports/freshness'
import { createCoherentCache, leastRecentlyUsed } from './coherent-cache'

interface Value {
  readonly text: string
}

function createWorld(options: { maxEntries?: number; maxBytes?: number } = {}) {
  let belief: Belief | null = { belief: true }
  const cache = createCoherentCache<number, Value, string>(
    { freshness: { belief: () => belief } },
    leastRecentlyUsed({
      maxEntries: 100,
      maxBytes: 1_000,
      bytesOf: ({ text }) => text.length,
      ...options,
    }),
  )
  const read = async (
    keys: readonly number[],
    text: string,
    meanwhile: () => void | Promise<void> = () => {},
    { stamp = '', joins }: { stamp?: string; joins?: (stamp: string) => boolean } = {},
  ) => {
    const entries = await cache.getMany(keys, {
      stamp,
      ...(joins ? { joins } : {}),
      async load(missing) {
        await meanwhile()
        return new Map(missing.map((key) => [key, { text }]))
      },
    })
    return keys.map((key) => entries.get(key)?.text)
  }
  return {
    cache,
    believe(next: Belief | null) {
      belief = next
    },
    read,
    /** Reads one key; what happens meanwhile happens before the read ends. */
    load: async (key: number, text: string, meanwhile: () => void = () => {}) =>
      (await read([key], text, meanwhile))[0],
    cached(key: number) {
      const entries = cache.current()
      return entries ? entries.peek(key)?.text : null
    },
  }
}

describe('a coherent cache', () => {
  test('has what was loaded, until it changes', async () => {
    const { cache, load, cached } = createWorld()
    expect(await load(1, 'one')).toBe('one')
    expect(await load(1, 'not read again')).toBe('one')
    await load(2, 'two')
    expect([cached(1), cached(2), cached(3)]).toEqual(['one', 'two', undefined])
    cache.invalidate(1)
    expect([cached(1), cached(2)]).toEqual([undefined, 'two'])
  })

  test('caches nothing that changed while it was loaded; the one who asked has it all the same', async () => {
    const { cache, load, cached } = createWorld()
    expect(await load(1, 'old', () => cache.invalidate(1))).toBe('old')
    expect(cached(1)).toBeUndefined()
    expect(await load(1, 'new', () => cache.invalidate(2))).toBe('new')
    expect(cached(1)).toBe('new')
  })

  test('has nothing of another belief, and nothing that was loaded across two', async () => {
    const { load, cached, believe } = createWorld()
    await load(1, 'one')
    believe({ belief: true })
    expect(cached(1)).toBeUndefined()
    expect(await load(1, 'across', () => believe({ belief: true }))).toBe('across')
    expect(cached(1)).toBeUndefined()
    expect(await load(1, 'while it ends', () => believe(null))).toBe('while it ends')
    expect(await load(1, 'while nothing is believed')).toBe('while nothing is believed')
    believe({ belief: true })
    expect(cached(1)).toBeUndefined()
  })

  test('is not to be used while nothing is believed, and again where the belief is the same', async () => {
    const { load, cached, believe } = createWorld()
    const belief = { belief: true } as const
    believe(belief)
    await load(1, 'one')
    believe(null)
    expect(cached(1)).toBeNull()
    await load(2, 'two')
    believe(belief)
    expect([cached(1), cached(2)]).toEqual(['one', undefined])
  })

  test('is bounded by entries and by bytes', async () => {
    const { cache, load, cached } = createWorld({ maxEntries: 3, maxBytes: 10 })
    for (const key of [1, 2, 3, 4]) await load(key, 'ab')
    expect(cache.keys()).toHaveLength(3)
    expect(cached(1)).toBeUndefined()
    await load(5, 'abcdefgh')
    expect(cache.keys()).toHaveLength(2)
  })

  test('refuses a load that leaves out a key: nobody takes it for one that is not there', async () => {
    const { cache } = createWorld()
    const load = async () => new Map([[1, { text: 'one' }]])
    await expect(cache.getMany([1, 2], { stamp: '', load })).rejects.toThrow('no entry for 2')
  })
})

describe('many who read the same at once', () => {
  /** Reads that go on when they are told to; each says which it was. */
  function createSlowWorld() {
    const world = createWorld()
    const { promise, resolve: go } = Promise.withResolvers<void>()
    let loads = 0
    return {
      ...world,
      go,
      get loads() {
        return loads
      },
      read(
        keys: readonly number[],
        how: { stamp?: string; joins?: (stamp: string) => boolean } = {},
      ) {
        const slow = async () => {
          loads += 1
          await promise
        }
        return world.read(keys, `load of ${keys}`, slow, how)
      },
    }
  }

  test('share one load, and each has all that it asked for', async () => {
    const world = createSlowWorld()
    const readers = [
      world.read([1, 2]),
      ...Array.from({ length: 500 }, () => world.read([1, 2])),
      world.read([2, 3]),
    ]
    world.go()
    const answers = await Promise.all(readers)
    expect(world.loads).toBe(2)
    for (const answer of answers.slice(0, -1))
      expect(answer).toEqual(['load of 1,2', 'load of 1,2'])
    expect(answers.at(-1)).toEqual(['load of 1,2', 'load of 2,3'])
  })

  test.each<[string, (world: ReturnType<typeof createSlowWorld>) => void]>([
    ['the belief ends', ({ believe }) => believe(null)],
    ['another is believed', ({ believe }) => believe({ belief: true })],
    ['all of it changes', ({ cache }) => [1, 2].forEach(cache.invalidate)],
  ])('have all of it where %s while they wait', async (_, end) => {
    const world = createSlowWorld()
    const readers = [world.read([1, 2]), world.read([1, 2]), world.read([2, 1])]
    await null
    end(world)
    world.go()
    expect(await Promise.all(readers)).toEqual([
      ['load of 1,2', 'load of 1,2'],
      ['load of 1,2', 'load of 1,2'],
      ['load of 1,2', 'load of 1,2'],
    ])
    expect(world.loads).toBe(1)
    expect(world.cached(1) ?? undefined).toBeUndefined()
  })

  test.each<[string, (world: ReturnType<typeof createSlowWorld>) => void]>([
    ['of before the entry changed', ({ cache }) => cache.invalidate(1)],
    ['of another belief', ({ believe }) => believe({ belief: true })],
    ['while nothing is believed', ({ believe }) => believe(null)],
  ])('share no load %s', async (_, happen) => {
    const world = createSlowWorld()
    const first = world.read([1])
    await null
    happen(world)
    const second = world.read([1])
    world.go()
    expect(await Promise.all([first, second])).toEqual([['load of 1'], ['load of 1']])
    expect(world.loads).toBe(2)
  })

  test('share no load that is of something else, and the latest is cached, whichever ends first', async () => {
    const world = createWorld()
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const joins = (stamp: string) => stamp === 'b'
    const one = world.read([1], 'a', () => first.promise, { stamp: 'a' })
    const other = world.read([1], 'b', () => second.promise, { stamp: 'b', joins })
    const joined = world.read([1], 'c', undefined, { stamp: 'b', joins })
    second.resolve()
    expect([await other, await joined]).toEqual([['b'], ['b']])
    first.resolve()
    expect(await one).toEqual(['a'])
    expect(world.cached(1)).toBe('b')
  })

  test('fail together where the load fails, and the next read is one of its own', async () => {
    const world = createWorld()
    const failing = () => {
      throw new Error('away')
    }
    const answers = await Promise.allSettled([world.read([1], 'x', failing), world.read([1], 'y')])
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await world.read([1], 'z')).toEqual(['z'])
  })
})

describe('a write', () => {
  const made = (text: string) => ({ entryOf: () => ({ text }) })

  test('makes an entry, unless that changed meanwhile, belief ended or there is nothing to keep', async () => {
    const { cache, cached, believe } = createWorld()
    const write = (key: number, meanwhile: () => void = () => {}) =>
      cache.writeThrough(key, async () => void meanwhile(), made('written'))
    await write(1)
    await write(2, () => cache.invalidate(2))
    await cache.writeThrough(3, async () => 'done', { entryOf: () => null })
    expect([cached(1), cached(2), cached(3)]).toEqual(['written', undefined, undefined])
    await write(4, () => believe({ belief: true }))
    expect(cached(4)).toBeUndefined()
  })

  test('returns what it did in any case, and is no load to wait for', async () => {
    const { cache, believe, load } = createWorld()
    const { promise, resolve } = Promise.withResolvers<string>()
    const writing = cache.writeThrough(1, () => promise, made('written'))
    expect(await load(1, 'read')).toBe('read')
    believe(null)
    resolve('done')
    expect(await writing).toBe('done')
  })
})

test('what changes while much is read costs no memory', async () => {
  const { cache } = createWorld()
  const { promise, resolve } = Promise.withResolvers<void>()
  const load = async (keys: readonly number[]) => {
    await promise
    return new Map(keys.map((key) => [key, { text: '' }]))
  }
  const loads = Array.from({ length: 500 }, (_, at) => cache.getMany([at], { stamp: '', load }))
  await null
  Bun.gc(true)
  const before = heapStats().heapSize
  for (let key = 1_000; key < 51_000; key += 1) cache.invalidate(key)
  Bun.gc(true)
  // A note of each change in each load would be 25,000,000 notes.
  expect(heapStats().heapSize - before).toBeLessThan(4 * 2 ** 20)
  resolve()
  await Promise.all(loads)
  for (let key = 0; key < 500; key += 1) expect(cache.isLoading(key)).toBe(false)
})
