import { expect, test } from 'bun:test'
import { createIdGenerator, exactId, firstIdAt, idTime } from './id'

/** 41 bits of milliseconds after 2024 began. */
const END_MS = Date.UTC(2024, 0, 1) + 2 ** 41

test('ids end in 2093, exactly where numbers do', () => {
  expect(firstIdAt(END_MS - 1)).toBe(2 ** 53 - 4096)
  expect(idTime(firstIdAt(END_MS - 1))).toBe(END_MS - 1)
  expect(new Date(END_MS).getUTCFullYear()).toBe(2093)
})

test.each([END_MS, Date.UTC(2099, 0, 1), Number.NaN, Number.POSITIVE_INFINITY])(
  'the time %p makes none',
  (ms) => {
    expect(() => firstIdAt(ms)).toThrow(RangeError)
    expect(() => createIdGenerator({ clock: { now: () => ms } }).next()).toThrow(RangeError)
  },
)

test('the last millisecond has its ids, and then none', () => {
  const ids = createIdGenerator({ clock: { now: () => END_MS - 1 }, random: () => 0 })
  for (let counter = 0; counter < 4096; counter += 1) {
    expect(Number.isSafeInteger(ids.next())).toBeTrue()
  }
  expect(() => ids.next()).toThrow(RangeError)
})

test.each([-1, 0.5, 2 ** 53, Number.NaN])('%p is no id', (id) => {
  expect(() => exactId(id)).toThrow(RangeError)
})

test('times before 2024 have the smallest', () => {
  expect(firstIdAt(0)).toBe(0)
  expect<number>(exactId(0)).toBe(0)
})
