import { expect, test } from 'bun:test'
import { forEachBounded } from './bounded'

async function* numbers(upTo: number, fetched: number[] = []) {
  for (let n = 1; n <= upTo; n += 1) {
    fetched.push(n)
    yield n
  }
}

test('does everything, no more than the limit at once', async () => {
  let running = 0
  let most = 0
  const done: number[] = []
  await forEachBounded(numbers(50), 7, async (n) => {
    running += 1
    most = Math.max(most, running)
    await new Promise(setImmediate)
    running -= 1
    done.push(n)
  })
  expect(most).toBe(7)
  expect(running).toBe(0)
  expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
})

test('starts nothing after a failure, waits for the rest and throws the first', async () => {
  const fetched: number[] = []
  let finished = 0
  const result = forEachBounded(numbers(50, fetched), 3, async (n) => {
    if (n === 2) throw new Error('second')
    for (let turn = 0; turn < 20; turn += 1) await null
    finished += 1
    if (n === 3) throw new Error('third')
  })
  await expect(result).rejects.toThrow('second')
  expect(fetched.length).toBeLessThanOrEqual(4)
  expect(finished).toBe(fetched.length - 1)
})

test('throws the failure of the very last piece, however late it fails', async () => {
  for (const turns of [0, 1, 2, 3, 5, 10]) {
    const result = forEachBounded(numbers(1), 3, async () => {
      for (let turn = 0; turn < turns; turn += 1) await null
      throw new Error('last')
    })
    await expect(result).rejects.toThrow('last')
  }
  const slow = forEachBounded(numbers(1), 3, async () => {
    await new Promise(setImmediate)
    throw new Error('slow')
  })
  await expect(slow).rejects.toThrow('slow')
})

test('throws what the source throws, after what runs has ended', async () => {
  let finished = 0
  async function* failing() {
    yield 1
    throw new Error('source')
  }
  const result = forEachBounded(failing(), 3, async () => {
    for (let turn = 0; turn < 20; turn += 1) await null
    finished += 1
  })
  await expect(result).rejects.toThrow('source')
  expect(finished).toBe(1)
})
