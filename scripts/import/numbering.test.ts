import { expect, test } from 'bun:test'
import { idTime } from '@sns/shared/domain/id'
import fc from 'fast-check'
import { authorOf, createNumbering } from './numbering'

test('ids are distinct, grow, repeat themselves and lie before the import began', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2040, 0, 1) }),
      fc.integer({ min: 1, max: 50_000_000 }),
      fc.integer({ min: 0, max: 40_000_000 }),
      (startedAt, posts, from) => {
        const numbering = createNumbering(startedAt, posts, 'ab12cd34')
        for (const kind of ['user', 'follow', 'post'] as const) {
          const first = kind === 'post' ? from % posts : from
          let last = 0
          for (let n = first; n < Math.min(first + 50, posts); n++) {
            const id = numbering[kind](n)
            expect(Number.isSafeInteger(id)).toBe(true)
            expect(id).toBeGreaterThan(last)
            expect(idTime(id)).toBeLessThanOrEqual(startedAt)
            expect(createNumbering(startedAt, posts, 'ab12cd34')[kind](n)).toBe(id)
            last = id
          }
        }
      },
    ),
  )
})

test('no time gives an id that is none', () => {
  const numbering = createNumbering(Date.UTC(2026, 0, 1), 1, 'ab12cd34')
  for (const ms of [Date.UTC(2099, 0, 1), Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => numbering.postOf(ms)).toThrow(RangeError)
  }
  expect(() => createNumbering(Date.UTC(2100, 0, 1), 1, 'ab12cd34').user(0)).toThrow(RangeError)
})

test('every user gets posts', () => {
  const authors = new Set(Array.from({ length: 2000 }, (_, n) => authorOf(n, 100)))
  expect(authors.size).toBe(100)
})
