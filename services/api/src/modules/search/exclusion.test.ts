import { expect, test } from 'bun:test'
import type { UserId } from '@sns/shared/domain/id'
import { createExclusion } from './exclusion'

const [viewer, blocked] = [1, 2] as UserId[] as [UserId, UserId]

function open(found: readonly UserId[]) {
  const world = { asked: 0 }
  const graph = {
    async blockedEitherWay() {
      world.asked += 1
      return found
    },
  }
  return Object.assign(world, createExclusion(graph, viewer))
}

test('nobody is asked for while every hit is shown, nor behind the last hit', async () => {
  const exclusion = open([blocked])
  await exclusion.note({ asked: 4, hits: 4, shown: 4 })
  await exclusion.note({ asked: 4, hits: 3, shown: 1 })
  expect(exclusion.users()).toEqual([])
  expect(exclusion.asked).toBe(0)
})

test.each([{ found: [blocked] }, { found: [] }])(
  'it is asked once, however much is hidden later: $found',
  async ({ found }) => {
    const exclusion = open(found)
    for (const asked of [4, 16, 64]) await exclusion.note({ asked, hits: asked, shown: 1 })
    expect(exclusion.users()).toEqual(found)
    expect(exclusion.asked).toBe(1)
  },
)
