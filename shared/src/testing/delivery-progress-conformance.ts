import { describe, expect, test } from 'bun:test'
import type { PostId, UserId } from '../domain/id'
import type { DeliveryProgress } from '../ports/delivery-progress'
import type { TestDatabase } from './sql-database'

export interface DeliveryProgressHarness extends AsyncDisposable {
  readonly database: Pick<TestDatabase, 'db'>
  readonly deliveryProgress: DeliveryProgress
}

const [ann, bob] = [1, 2] as [UserId, UserId]

/** What every `DeliveryProgress` must do. */
export function deliveryProgressConformance(open: () => Promise<DeliveryProgressHarness>): void {
  describe('DeliveryProgress', () => {
    test('begins where it was made, and never goes back', async () => {
      await using harness = await open()
      const { deliveryProgress: progress } = harness
      const first = await progress.delivered()
      await progress.record(first + 5)
      await progress.record(first + 3)
      expect(await progress.delivered()).toBe(first + 5)
    })

    test('finds the oldest post and the newest ones from an id on', async () => {
      await using harness = await open()
      const { database, deliveryProgress: progress } = harness
      const at = (id: number) => id as PostId
      expect(await progress.oldestFrom(at(0))).toBeNull()
      expect(await progress.newestFrom(at(0), 5)).toEqual([])
      const times = { created_at: 0, updated_at: 0, edited_at: null }
      await database.db
        .insertInto('posts')
        .values(
          [10, 20, 30, 40].map((id) => ({
            id: at(id),
            author_id: id === 30 ? bob : ann,
            text: 'x',
            version: 1,
            ...times,
          })),
        )
        .execute()
      expect(await progress.oldestFrom(at(20))).toBe(at(20))
      expect(await progress.oldestFrom(at(21))).toBe(at(30))
      expect(await progress.oldestFrom(at(41))).toBeNull()
      expect(await progress.newestFrom(at(20), 2)).toEqual([
        { id: at(40), author: ann },
        { id: at(30), author: bob },
      ])
      expect((await progress.newestFrom(at(20), 9)).map(({ id }) => id)).toEqual(
        [40, 30, 20].map(at),
      )
    })
  })
}
