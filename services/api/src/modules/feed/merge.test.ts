import { expect, test } from 'bun:test'
import type { PostId } from '@sns/shared/domain/id'
import fc from 'fast-check'
import { mergeLists } from './merge'

const newestFirst = (ids: Iterable<number>) => [...ids].sort((a, b) => b - a) as PostId[]

/** A list as the stores give it: the newest `limit` below `before`, or all down to the floor. */
function part(all: readonly PostId[], floor: number, before: number, limit: number) {
  return { ids: all.filter((id) => id >= floor && id < before).slice(0, limit), floor }
}

test('is the newest of all lists, each once, complete down to its floor', () => {
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 })
  const list = fc.record({ ids, floor: fc.nat(30) })
  fc.assert(
    fc.property(
      list,
      fc.array(list, { maxLength: 4 }),
      fc.option(fc.integer({ min: 1, max: 61 })),
      fc.integer({ min: 1, max: 12 }),
      (window, others, before, limit) => {
        const below = before ?? Number.POSITIVE_INFINITY
        const merged = mergeLists(
          part(newestFirst(window.ids), window.floor, below, limit),
          others.map(({ ids, floor }) => ({
            ids: newestFirst(ids).filter((id) => id >= floor),
            floor,
          })),
          before as PostId | null,
          limit,
        )
        const floor = Math.max(window.floor, ...others.map((other) => other.floor))
        const all = new Set([window, ...others].flatMap((each) => each.ids))
        const expected = newestFirst(all).filter((id) => id >= floor && id < below)
        expect(merged).toEqual({ ids: expected.slice(0, limit), floor })
      },
    ),
  )
})
