import { expect, test } from 'bun:test'
import { createBreaker } from './breaker'

test('some poison among much else is put aside', () => {
  const breaker = createBreaker()
  for (let n = 0; n < 500; n += 1) expect(breaker.note(100, 30)).toBeNull()
})

test('a few documents may all be poison', () => {
  const breaker = createBreaker()
  for (let n = 0; n < 19; n += 1) expect(breaker.note(1, 1)).toBeNull()
  expect(breaker.note(1, 1)).toBe('20 of 20')
  // The same again, as long as it is refused; and not once it is taken.
  expect(breaker.note(1, 1)).toBe('20 of 20')
  expect(breaker.note(1, 0)).toBeNull()
})

test('everything turning to poison is noticed at once, whatever went well long ago', () => {
  const breaker = createBreaker()
  for (let n = 0; n < 50; n += 1) breaker.note(1_000, 0)
  expect(breaker.note(1_000, 900)).toBe('900 of 1000')
  expect(breaker.note(10, 10)).toBeNull()
  expect(breaker.note(10, 10)).toBe('20 of 20')
})
