import { describe, expect, test } from 'bun:test'
import type { ChangeEvent } from '@sns/shared/events/change-event'
import { type DeadLetter, letterId } from '@sns/shared/ports/dead-letters'
import type { SearchChange, SearchDocument } from '@sns/shared/ports/search-index'
import { chosenLetters } from './chosen-letters'
import { redrive } from './redrive'

const GTID = '3e11fa47-71ca-11e1-9e33-c80aa9429562'

function letterOf(
  id: number,
  { op = 'c', sequence = 5 }: { op?: 'c' | 'd'; sequence?: number } = {},
) {
  const row = {
    id,
    author_id: 7,
    text: 'text',
    version: 1,
    created_at: 1,
    edited_at: null,
    updated_at: 1,
  }
  const change = {
    before: op === 'd' ? row : null,
    after: op === 'd' ? null : row,
    op,
    ts_ms: 1,
    transaction: null,
    source: { table: 'posts', gtid: `${GTID}:${sequence}`, epoch: 0, row: 0 },
  } as unknown as ChangeEvent
  return { change, stage: 'index', reason: 'refused', attempts: 1, at: 1 } satisfies DeadLetter
}

/** A dead-letter topic and an index that tell what is asked of them, in order. */
function createWorld({
  rows = [42],
  answer = async () => ({ applied: 1, stale: 0, rejected: [] }),
}: {
  rows?: readonly number[]
  answer?: (change: SearchChange) => Promise<{
    applied: number
    stale: number
    rejected: { change: SearchChange; reason: string }[]
  }>
} = {}) {
  const steps: string[] = []
  return {
    steps,
    deps: {
      deadLetters: {
        async add([letter]: readonly DeadLetter[]) {
          steps.push(`keep, tried ${letter?.attempts}`)
        },
        async remove(letters: readonly DeadLetter[]) {
          steps.push(`remove ${letters.length}`)
        },
      },
      search: {
        async apply([change]: readonly SearchChange[]) {
          steps.push(`apply ${change?.op}`)
          const result = await answer(change as SearchChange)
          steps.push('applied')
          return result
        },
      },
      source: {
        find: async (kind: SearchDocument['kind'], ids: readonly number[]) =>
          ids
            .filter((id) => rows.includes(id))
            .map((id) => ({ kind, id }) as unknown as SearchDocument),
      },
      now: () => 99,
    },
  }
}

describe('a redriven letter', () => {
  test('goes once the index has its change, not before', async () => {
    const { deps, steps } = createWorld()
    expect(await redrive(deps, letterOf(42))).toEqual({ outcome: 'applied' })
    expect(steps).toEqual(['apply index', 'applied', 'remove 1'])
  })

  test('stays where the index does not answer', async () => {
    const { deps, steps } = createWorld({
      answer: () => Promise.reject(new Error('index unavailable')),
    })
    await expect(redrive(deps, letterOf(42))).rejects.toThrow('index unavailable')
    expect(steps).toEqual(['apply index'])
  })

  test('stays, with one more attempt, where it is rejected again', async () => {
    const { deps, steps } = createWorld({
      answer: async (change) => ({ applied: 0, stale: 0, rejected: [{ change, reason: 'still' }] }),
    })
    expect(await redrive(deps, letterOf(42))).toEqual({ outcome: 'rejected', reason: 'still' })
    expect(steps).toEqual(['apply index', 'applied', 'keep, tried 2'])
  })

  test('brings no deleted post back: the index may have forgotten that it was deleted', async () => {
    const { deps, steps } = createWorld({ rows: [41] })
    expect(await redrive(deps, letterOf(42))).toEqual({ outcome: 'overtaken' })
    expect(steps).toEqual(['remove 1'])
  })

  test('deletes, whether there is a row or none', async () => {
    for (const rows of [[], [42]]) {
      const { deps, steps } = createWorld({ rows })
      expect(await redrive(deps, letterOf(42, { op: 'd' }))).toEqual({ outcome: 'applied' })
      expect(steps).toEqual(['apply delete', 'applied', 'remove 1'])
    }
  })
})

describe('letters that are named', () => {
  const letters = [4, 42, 423].flatMap((id) => [letterOf(id), letterOf(id, { sequence: 6 })])
  const idsOf = (chosen: readonly DeadLetter[]) => chosen.map(letterId)
  const all = idsOf(letters)

  test.each([4, 42, 423])('by the row posts/%d are those of this row', (id) => {
    const chosen = idsOf(chosenLetters(letters, [`posts/${id}`]))
    expect(chosen).toEqual(all.filter((name) => name.startsWith(`posts/${id}@`)))
    expect(chosen).toHaveLength(2)
  })

  test('by the whole id are one, and each once', () => {
    const [first = ''] = all
    expect(idsOf(chosenLetters(letters, [first]))).toEqual([first])
    expect(idsOf(chosenLetters(letters, ['posts/4', first]))).toEqual(all.slice(0, 2))
  })

  test.each(['posts/', 'posts', 'p', 'posts/2', 'posts/4@', 'posts/4@1', 'osts/4', ''])(
    'by %p are none',
    (id) => {
      expect(() => chosenLetters(letters, [id])).toThrow('there is no dead letter')
    },
  )
})
