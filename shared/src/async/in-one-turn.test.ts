import { expect, test } from 'bun:test'
import { inOneTurn } from './in-one-turn'
import { yieldToEventLoop } from './sleep'

/** Adds up what is asked for together; keeps what each call of `work` got. */
function adder(limit: number) {
  const calls: (readonly number[])[] = []
  const add = inOneTurn({
    limit,
    sizeOf: (part: number) => part,
    async work(parts) {
      calls.push(parts)
      if (parts.includes(0)) throw new Error('nothing to add')
      return parts.reduce((sum, part) => sum + part, 0)
    },
  })
  return { add, calls }
}

test('does together what one turn asks for, and gives everybody the result of all', async () => {
  const { add, calls } = adder(10)
  expect(await Promise.all([add(1), add(2), add(3)])).toEqual([6, 6, 6])
  expect(await Promise.all([add(4)])).toEqual([4])
  expect(calls).toEqual([[1, 2, 3], [4]])
})

test('begins another lot beyond the limit, and does alone what is larger than it', async () => {
  const { add, calls } = adder(10)
  await Promise.all([add(6), add(4), add(1), add(12), add(2)])
  expect(calls).toEqual([[6, 4], [1], [12], [2]])
})

test('keeps apart what comes in a later turn, though the first is still under way', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const calls: (readonly string[])[] = []
  const say = inOneTurn({
    limit: 10,
    sizeOf: () => 1,
    async work(parts: readonly string[]) {
      calls.push(parts)
      await gate
    },
  })
  const first = say('first')
  await yieldToEventLoop()
  await yieldToEventLoop()
  const second = say('second')
  await yieldToEventLoop()
  await yieldToEventLoop()
  expect(calls).toEqual([['first'], ['second']])
  open()
  await Promise.all([first, second])
})

test('fails everybody of a lot that fails, and nobody of the next', async () => {
  const { add } = adder(10)
  const settled = await Promise.allSettled([add(0), add(1), add(9), add(1)])
  expect(settled.map(({ status }) => status)).toEqual([
    'rejected',
    'rejected',
    'rejected',
    'fulfilled',
  ])
})
