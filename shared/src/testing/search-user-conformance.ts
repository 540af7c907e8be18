import { describe, expect, test } from 'bun:test'
import type { UserId } from '../domain/id'
import type { SearchIndex, SearchKey } from '../ports/search-index'
import { anyUser, idAt, post, searchSteps, user } from './search-documents'

/** What every `SearchIndex` promises about users. */
export function searchUserConformance(index: () => SearchIndex): void {
  const { apply, found, foundUsers } = searchSteps(index)

  describe('users', () => {
    test('are found by the beginning of the username, then by words of the name', async () => {
      await apply(
        user(1, 'kim', 'Someone'),
        user(2, 'Kim_Chulsoo', 'Chulsoo'),
        user(3, 'other', '김철수'),
        user(4, 'another', 'Kim Younghee'),
        user(5, 'akim', 'Kimberly Jones'),
      )
      expect(await foundUsers('kim')).toEqual([1, 2, 5, 4])
      expect(await foundUsers('@KIM_')).toEqual([2])
      expect(await foundUsers('철수')).toEqual([3])
      expect(await foundUsers('김')).toEqual([3])
      expect(await foundUsers('kim young')).toEqual([4])
      expect(await foundUsers('younghee kim')).toEqual([4])
      expect(await foundUsers('young kim')).toEqual([])
      expect(await foundUsers('jones berly')).toEqual([])
      expect(await foundUsers('nobody')).toEqual([])
      expect(await foundUsers('!')).toEqual([])
      expect(await foundUsers('_')).toEqual([])
      expect(await foundUsers('kim*')).toContain(4)
    })

    test('follow renames and deletes, older versions out', async () => {
      await apply(user(101, 'ann', 'Old Name', 1n))
      await apply(user(101, 'ann', 'New Face', 3n))
      expect(await apply(user(101, 'ann', 'Middle', 2n))).toMatchObject({ stale: 1 })
      expect(await foundUsers('face')).toEqual([101])
      expect(await foundUsers('old')).toEqual([])
      await apply({ op: 'delete', kind: 'user', id: 101, version: 4n })
      expect(await apply(user(101, 'ann', 'Back', 3n))).toMatchObject({ stale: 1 })
      expect(await foundUsers('ann')).toEqual([])
      expect(await foundUsers('face')).toEqual([])
    })

    test('and posts of the same id are apart', async () => {
      const id = idAt(1)
      await apply(post(1, 'twin', 5n), user(id, 'twin', 'Twin', 1n))
      await apply({ op: 'delete', kind: 'user', id, version: 6n })
      expect(await found('twin')).toEqual([1])
      expect(await foundUsers('twin')).toEqual([])
    })

    test('are left out where they are excluded, however many, and by whatever they match', async () => {
      const of = (...ids: number[]) => ids.map((id) => id as UserId)
      await apply(
        user(301, 'zoe', 'Zoe'),
        user(302, 'zoe_2', 'X'),
        user(303, 'x3', 'Zoe Y'),
        user(304, 'x4', 'Zoe Z'),
      )
      expect(await foundUsers('zoe', { exclude: of(301, 304) })).toEqual([302, 303])
      expect(await foundUsers('zoe', { exclude: of(301, 302, 303, 304) })).toEqual([])
      // A page is filled from those who are left.
      expect(await foundUsers('zoe', { exclude: of(301, 302), limit: 2 })).toEqual([304, 303])
      const many = Array.from({ length: 3000 }, (_, n) => 1000 + n)
      expect(await foundUsers('zoe', { exclude: of(...many, 302) })).toEqual([301, 304, 303])
    })

    test('come in pages', async () => {
      const users = Array.from({ length: 25 }, (_, n) =>
        n % 2 ? user(n + 201, `pat${n}`, 'X') : user(n + 201, `x${n}`, 'Pat Y'),
      )
      await apply(...users)
      const pages: number[] = []
      let after: SearchKey | null = null
      for (;;) {
        const hits = await index().searchUsers({ ...anyUser('pat'), after, limit: 4 })
        pages.push(...hits.map((hit) => Number(hit.id)))
        const last = hits.at(-1)
        if (last === undefined) break
        after = { score: last.score, id: last.id }
      }
      const ids = users.map((_, n) => n + 201).toReversed()
      expect(pages).toEqual([
        ...ids.filter((id) => id % 2 === 0),
        ...ids.filter((id) => id % 2 === 1),
      ])
    })
  })
}
