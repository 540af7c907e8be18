import { Semaphore } from 'async-mutex'

/**
 * Runs `work` for every item, at most `limit` at once, and fetches no item before a place is free.
 * After a failure it starts nothing new, waits for what runs and throws the first error.
 */
export async function forEachBounded<Item>(
  items: AsyncIterable<Item>,
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const places = new Semaphore(limit)
  const failures: unknown[] = []
  try {
    for await (const item of items) {
      void places.runExclusive(async () => {
        // Noted before the place is free: who waits for all places must know of it.
        await work(item).catch((error) => void failures.push(error))
      })
      await places.waitForUnlock()
      if (failures.length > 0) break
    }
  } finally {
    // All places at once: until nothing runs.
    await places.acquire(limit)
  }
  if (failures.length > 0) throw failures[0]
}
