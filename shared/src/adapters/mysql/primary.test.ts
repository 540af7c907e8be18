import { expect, test } from 'bun:test'
import { createSteppedTime } from '../../testing/stepped-time'
import { createMysqlPrimary } from './primary'

function openPrimary() {
  const { time, advance } = createSteppedTime({ stepMs: 100 })
  const moves: string[] = []
  let looks = 0
  let answer: { server: string; ageMs: number } | null = null
  const primary = createMysqlPrimary({
    time,
    look: async () => {
      looks += 1
      if (!answer) throw new Error('no primary')
      primary.saw({ at: time.now(), ...answer })
    },
  })
  primary.onMove((server) => moves.push(server))
  return {
    primary,
    moves,
    advance,
    time,
    looks: () => looks,
    find(server: string | null, ageMs = Number.POSITIVE_INFINITY) {
      answer = server === null ? null : { server, ageMs }
    },
    see: (server: string, ageMs: number, at = time.now()) => primary.saw({ at, server, ageMs }),
  }
}

test('a look is good for two seconds from when it began', async () => {
  const { primary, see, advance, time } = openPrimary()
  const began = time.now()
  await advance(500)
  see('a', Number.POSITIVE_INFINITY, began)
  expect(primary.current()).toBe('a')
  await advance(1_400)
  expect(primary.current()).toBe('a')
  await advance(100)
  expect(primary.current()).toBeNull()
})

test('a new primary is used once every look at the one before is over, whoever made it known', async () => {
  const { primary, see, advance, moves } = openPrimary()
  see('a', Number.POSITIVE_INFINITY)
  await advance(100)
  see('b', 0)
  for (let ms = 0; ms < 2_200; ms += 100) {
    expect(primary.current()).toBeNull()
    await advance(100)
    see('b', ms + 100)
  }
  expect(primary.current()).toBe('b')
  expect(moves).toEqual(['a', 'b'])
  // To somebody who comes later it has been the primary for that long already.
  const late = openPrimary()
  late.see('b', 1_700)
  await late.advance(400)
  expect(late.primary.current()).toBeNull()
  await late.advance(100)
  expect(late.primary.current()).toBe('b')
})

test('a look that began earlier never replaces one that began later', async () => {
  const { primary, see, advance, moves } = openPrimary()
  await advance(1_000)
  see('b', Number.POSITIVE_INFINITY)
  see('a', Number.POSITIVE_INFINITY, 500)
  expect(primary.current()).toBe('b')
  expect(moves).toEqual(['b'])
})

test('after a doubt only a look that began later counts', async () => {
  const { primary, see, advance, find, time } = openPrimary()
  see('a', Number.POSITIVE_INFINITY)
  await advance(100)
  const before = time.now()
  primary.doubt()
  expect(primary.current()).toBeNull()
  see('a', Number.POSITIVE_INFINITY, before)
  expect(primary.current()).toBeNull()
  await advance(100)
  find('b', Number.POSITIVE_INFINITY)
  expect(await primary.confirm()).toBe('b')
})

test('all who ask meanwhile share a look, and fail with it', async () => {
  const { primary, looks } = openPrimary()
  const asked = await Promise.allSettled([primary.confirm(), primary.confirm(), primary.confirm()])
  expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect(looks()).toBe(3)
})
