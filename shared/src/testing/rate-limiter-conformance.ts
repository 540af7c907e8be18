import { expect, test } from 'bun:test'
import type { RateLimit } from '../domain/rate-limit'
import type { RateLimiter } from '../ports/rate-limiter'

/** What every `RateLimiter` promises; `open` gives two that should count together, or one twice. */
export function rateLimiterConformance(
  open: () => Promise<AsyncDisposable & { readonly one: RateLimiter; readonly other: RateLimiter }>,
): void {
  const limit: RateLimit = { name: 'some', quota: 3, seconds: 60 }

  test('counts up to the quota and says what is left', async () => {
    await using limiters = await open()
    const { one, other } = limiters
    expect(await one.take(limit, 'a')).toEqual({
      isExceeded: false,
      remaining: 2,
      resetSeconds: 60,
    })
    expect(await other.take(limit, 'a')).toMatchObject({ isExceeded: false, remaining: 1 })
    expect(await one.take(limit, 'a')).toMatchObject({ isExceeded: false, remaining: 0 })
    expect(await other.take(limit, 'a')).toMatchObject({ isExceeded: true, remaining: 0 })
    expect(await one.take(limit, 'a')).toMatchObject({ isExceeded: true })
  })

  test('tells keys and limits apart', async () => {
    await using limiters = await open()
    const { one } = limiters
    const another: RateLimit = { name: 'another', quota: 1, seconds: 60 }
    for (let at = 0; at < 4; at += 1) await one.take(limit, 'a')
    expect(await one.take(limit, 'b')).toMatchObject({ isExceeded: false, remaining: 2 })
    expect(await one.take(another, 'a')).toMatchObject({ isExceeded: false, remaining: 0 })
    expect(await one.take(another, 'a')).toMatchObject({ isExceeded: true })
  })

  test('counts each of many at once', async () => {
    await using limiters = await open()
    const { one, other } = limiters
    const states = await Promise.all(
      Array.from({ length: 20 }, (_, at) => (at % 2 ? one : other).take(limit, 'a')),
    )
    expect(states.filter(({ isExceeded }) => !isExceeded)).toHaveLength(3)
  })
}
