import { expect, test } from 'bun:test'
import { swapGeneration } from './generation-swap'

/** A log that grows during every step but the catching up. */
function createWorld() {
  const steps: string[] = []
  let [written, indexed] = [3, 0]
  const step = (name: string) => {
    steps.push(name)
    written += 1
  }
  return {
    steps,
    missing: () => written - indexed,
    async catchUp() {
      steps.push('catch up')
      const count = written - indexed
      indexed = written
      return count
    },
    async removeExtra() {
      step('remove')
    },
    async verify() {
      step('verify')
      return 7
    },
    async promote() {
      steps.push(`promote with ${written - indexed} missing`)
      written += 1
    },
  }
}

test('a generation has all that came while it was compared before it is read, and the rest after', async () => {
  const world = createWorld()
  const told: unknown[] = []
  await swapGeneration(world, (taken) => told.push(taken))
  expect(world.steps).toEqual([
    'catch up',
    'remove',
    'verify',
    'catch up',
    'promote with 0 missing',
    'catch up',
  ])
  expect(told).toEqual([{ read: 3, compared: 7 }])
  expect(world.missing()).toBe(0)
})

test('a generation that differs from the tables is not read', async () => {
  const world = createWorld()
  const verify = () => Promise.reject(new Error('3 documents differ'))
  await expect(swapGeneration({ ...world, verify }, () => {})).rejects.toThrow('3 documents differ')
  expect(world.steps.join()).not.toContain('promote')
})
