import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { SearchIndex } from '../ports/search-index'
import { disorderedMarks } from './awkward-texts'
import { normalizingWork, STEPS_PER_UNIT } from './normalizing-work'
import {
  idAt,
  idOf,
  numberOf,
  post,
  removal,
  type SearchIndexFixture,
  searchSteps,
  turnThePage,
  user,
} from './search-documents'

/** What every `SearchIndex` promises about changes: the newest version wins, in any order. */
export function searchApplyConformance(
  index: () => SearchIndex,
  { runs }: Pick<SearchIndexFixture, 'runs'>,
): void {
  const { apply, fill, found } = searchSteps(index)

  describe('applying changes', () => {
    test('indexes, replaces and deletes', async () => {
      expect(await apply(post(1, 'first words', 1n))).toEqual({
        applied: 1,
        stale: 0,
        rejected: [],
      })
      expect(await found('first')).toEqual([1])
      await apply(post(1, 'other words', 2n))
      expect(await found('first')).toEqual([])
      expect(await found('other')).toEqual([1])
      await apply(removal(1, 3n))
      expect(await found('words')).toEqual([])
    })

    test('keeps the newer version, in either order', async () => {
      await apply(post(1, 'newer', 5n))
      expect(await apply(post(1, 'older', 4n))).toEqual({ applied: 0, stale: 1, rejected: [] })
      expect(await apply(removal(1, 3n))).toEqual({ applied: 0, stale: 1, rejected: [] })
      expect(await found('older')).toEqual([])
      expect(await found('newer')).toEqual([1])
    })

    test('lets no older version come back after a delete', async () => {
      await apply(post(1, 'once', 1n))
      await apply(removal(1, 3n))
      expect(await apply(post(1, 'late', 2n))).toMatchObject({ applied: 0, stale: 1 })
      expect(await found('once late')).toEqual([])
      expect(await found('late')).toEqual([])
    })

    test('keeps an older version out of a document that was deleted before it came', async () => {
      expect(await apply(removal(1, 3n))).toEqual({ applied: 1, stale: 0, rejected: [] })
      expect(await apply(post(1, 'late', 2n))).toMatchObject({ applied: 0, stale: 1 })
      expect(await found('late')).toEqual([])
      expect(await apply(post(1, 'again', 4n))).toMatchObject({ applied: 1, stale: 0 })
      expect(await found('again')).toEqual([1])
    })

    test('may be repeated', async () => {
      const changes = [post(1, 'one', 1n), post(2, 'two', 2n), removal(3, 3n)]
      await apply(...changes)
      await apply(...changes)
      expect(await found('one')).toEqual([1])
      expect(await found('two')).toEqual([2])
      await apply(removal(1, 4n))
      await apply(...changes)
      expect(await found('one')).toEqual([])
    })

    test('tells apart versions that a double cannot', async () => {
      const version = (30n << 58n) | 1n
      await apply(post(1, 'newer', version + 1n))
      expect(await apply(post(1, 'older', version))).toMatchObject({ stale: 1 })
      expect(await apply(post(1, 'newest', version + 2n))).toMatchObject({ applied: 1 })
      expect(await found('newest')).toEqual([1])
    })

    test('tells which documents it lacks or has otherwise, and what can be found', async () => {
      const one = post(1, 'one')
      const two = post(2, '둘 two')
      const someone = user(idAt(0), `V${idAt(0)}`, '이름')
      await apply(one, two, someone, post(3, 'gone'))
      await apply(removal(3, 2n))
      const documents = [one, two, someone].map(({ document }) => document)
      expect(await index().differing(documents)).toEqual([])
      expect(await index().differing([])).toEqual([])
      const edited = post(1, 'edited').document
      const lacking = [post(3, 'gone').document, post(4, 'never').document]
      const renamed = user(idAt(0), `V${idAt(0)}`, '다른 이름').document
      const wrong = await index().differing([edited, two.document, ...lacking, renamed])
      expect(new Set(wrong)).toEqual(new Set([edited, ...lacking, renamed]))
      expect(await index().ids('post', idAt(0), 2)).toEqual([idAt(1), idAt(2)])
      expect((await index().ids('post', idAt(1), 100)).slice(0, 1)).toEqual([idAt(2)])
      expect(await index().ids('post', idAt(2), 100)).not.toContain(idAt(3))
      expect((await index().ids('user', idAt(0) - 1, 1))[0]).toBe(idAt(0))
    })

    test('takes nothing and much', async () => {
      expect(await index().apply([])).toEqual({ applied: 0, stale: 0, rejected: [] })
      const many = Array.from({ length: 1500 }, (_, n) => post(n, `many n${n}`))
      expect(await apply(...many)).toEqual({ applied: 1500, stale: 0, rejected: [] })
      expect(await found('n1499')).toEqual([1499])
      expect(await found('n700')).toEqual([700])
    })

    test('takes any text', async () => {
      const texts = [
        '\u0001\u0000 x',
        '\uFDFA',
        'a'.repeat(2000),
        '가'.repeat(2000),
        '👍'.repeat(2000),
      ]
      expect(await fill([...texts, '"\\\n\t{}', 'ؼ\u202E end'])).toMatchObject({ rejected: [] })
      expect(await found('a'.repeat(2000))).toEqual([2])
      expect(await found('가가가')).toEqual([3])
      expect(await found('end')).toEqual([6])
    })

    test('takes marks without end, in steps by their length', async () => {
      const marks = Array.from({ length: 20 }, (_, n) =>
        post(n, `n${n} ${disorderedMarks(16_000)}`),
      )
      const steps = await normalizingWork(async () => {
        expect(await apply(...marks, post(40, `voiced か${'\u3099\u0316'.repeat(1_000)}`))).toEqual(
          {
            applied: 21,
            stale: 0,
            rejected: [],
          },
        )
      })
      expect(steps).toBeLessThan(STEPS_PER_UNIT * (20 * 16_000))
      expect(await found('n7')).toEqual([7])
      expect(await found('voiced')).toEqual([40])
    })

    test('ends in the same state for any order of changes', async () => {
      const steps = fc.array(fc.record({ n: fc.integer({ min: 0, max: 3 }), gone: fc.boolean() }), {
        minLength: 1,
        maxLength: 12,
      })
      const history = steps.chain((log) => {
        const order = fc.array(fc.nat(log.length - 1), { maxLength: 5 }).chain((again) => {
          const all = [...log.keys(), ...again]
          return fc.shuffledSubarray(all, { minLength: all.length })
        })
        return fc.record({ log: fc.constant(log), order })
      })
      await fc.assert(
        fc.asyncProperty(history, fc.integer({ min: 1, max: 4 }), async ({ log, order }, batch) => {
          turnThePage()
          const changes = log.map(({ n, gone }, at) =>
            gone ? removal(n, BigInt(at + 1)) : post(n, `word v${at + 1}`, BigInt(at + 1)),
          )
          const shuffled = order.flatMap((at) => changes[at] ?? [])
          for (let at = 0; at < shuffled.length; at += batch) {
            await index().apply(shuffled.slice(at, at + batch))
          }
          await index().refresh()
          const last = new Map(changes.map((each) => [idOf(each), each]))
          const live = [...last.values()].filter((each) => each.op === 'index')
          expect((await found('word')).toSorted()).toEqual(
            live.map((each) => numberOf(idOf(each))).toSorted(),
          )
          for (const each of live) {
            expect(await found(`v${each.version}`)).toEqual([numberOf(idOf(each))])
          }
        }),
        { numRuns: runs },
      )
    }, 30_000)
  })
}
