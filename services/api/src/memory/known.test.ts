import { describe, expect, test } from 'bun:test'
import type { Belief } from '@sns/shared/ports/freshness'
import { createKnown, leastRecentlyUsed } from './known'

interface Value {
  readonly text: string
}

function createWorld(options: { maxEntries?: number; maxBytes?: number } = {}) {
  let belief: Belief | null = { belief: true }
  const known = createKnown<number, Value>(
    { freshness: { belief: () => belief } },
    leastRecentlyUsed({
      maxEntries: 100,
      maxBytes: 1_000,
      bytesOf: ({ text }) => text.length,
      ...options,
    }),
  )
  return {
    known,
    believe(next: Belief | null) {
      belief = next
    },
    /** Loads one key; what happens meanwhile happens before the read ends. */
    load: (key: number, text: string, meanwhile: () => void = () => {}) =>
      known.load(
        async () => {
          meanwhile()
          return text
        },
        (loaded, keep) => keep(key, { text: loaded }),
      ),
    look: (key: number) => (known.isBelieved() ? known.peek(key)?.text : null),
  }
}

describe('what is known', () => {
  test('is what was loaded, until it is heard of', async () => {
    const { known, load, look } = createWorld()
    expect(await load(1, 'one')).toBe('one')
    await load(2, 'two')
    expect([look(1), look(2), look(3)]).toEqual(['one', 'two', undefined])
    known.forget(1)
    expect([look(1), look(2)]).toEqual([undefined, 'two'])
  })

  test('is nothing that was heard of while it was loaded; the one who asked has it all the same', async () => {
    const { known, load, look } = createWorld()
    expect(await load(1, 'old', () => known.forget(1))).toBe('old')
    expect(look(1)).toBeUndefined()
    expect(await load(1, 'older', () => known.overtake(1))).toBe('older')
    expect(look(1)).toBeUndefined()
    await load(1, 'new', () => known.forget(2))
    expect(look(1)).toBe('new')
  })

  test('is nothing of another belief, and nothing that was loaded across two', async () => {
    const { load, look, believe } = createWorld()
    await load(1, 'one')
    believe({ belief: true })
    expect(look(1)).toBeUndefined()
    await load(1, 'across', () => believe({ belief: true }))
    expect(look(1)).toBeUndefined()
    await load(1, 'while nothing is believed', () => believe(null))
    believe({ belief: true })
    expect(look(1)).toBeUndefined()
  })

  test('is not to be used while nothing is believed, and again where the belief is the same', async () => {
    const { load, look, believe } = createWorld()
    const belief = { belief: true } as const
    believe(belief)
    await load(1, 'one')
    believe(null)
    expect(look(1)).toBeNull()
    await load(2, 'two')
    believe(belief)
    expect([look(1), look(2)]).toEqual(['one', undefined])
  })

  test('is bounded by entries and by bytes', async () => {
    const { known, load, look } = createWorld({ maxEntries: 3, maxBytes: 10 })
    for (const key of [1, 2, 3, 4]) await load(key, 'ab')
    expect(known.size).toBe(3)
    expect(look(1)).toBeUndefined()
    await load(5, 'abcdefgh')
    expect(known.size).toBe(2)
  })
})
