import { expect, test } from 'bun:test'
import type { Page } from '@sns/shared/domain/page'
import fc from 'fast-check'
import { fillPage } from './fill-page'

/** A list of numbers from 1 up, of which only some may be shown. */
function listOf(length: number, isShown: (item: number) => boolean) {
  let reads = 0
  return {
    reads: () => reads,
    async read(after: number | null, count: number) {
      reads += 1
      const items = Array.from({ length }, (_, at) => at + 1)
        .filter((item) => item > (after ?? 0))
        .slice(0, count)
      return {
        found: items.filter(isShown).map((item) => ({ key: item, item })),
        last: items.length < count ? null : (items.at(-1) ?? null),
      }
    },
  }
}

test('pages joined are all that may be shown, full before the end, for any length and limit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { maxLength: 60 }),
      fc.integer({ min: 1, max: 12 }),
      async (shown, limit) => {
        const list = listOf(shown.length, (item) => shown[item - 1] === true)
        const seen: number[] = []
        let start: number | null = null
        do {
          const page: Page<number, number> = await fillPage(start, limit, list.read)
          seen.push(...page.items)
          expect(page.next === null || page.items.length === limit).toBe(true)
          start = page.next
        } while (start !== null)
        expect(seen).toEqual(shown.flatMap((is, at) => (is ? [at + 1] : [])))
      },
    ),
  )
})

test('reads no more than it must', async () => {
  const all = listOf(100, () => true)
  await fillPage<number, number>(null, 20, all.read)
  expect(all.reads()).toBe(1)
  const none = listOf(1_000, () => false)
  expect(await fillPage<number, number>(null, 20, none.read)).toEqual({ items: [], next: null })
  expect(none.reads()).toBeLessThanOrEqual(4)
  const many = listOf(10_000, () => false)
  await fillPage<number, number>(null, 1, many.read)
  expect(many.reads()).toBeLessThanOrEqual(15)
})
