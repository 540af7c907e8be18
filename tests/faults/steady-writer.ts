import type { Client } from '@sns/api/client'

export interface SteadyWriter {
  /** Ids of posts that were acknowledged so far, oldest first. */
  readonly acknowledged: readonly string[]
  /** Requests that failed and were sent again with the same key. */
  readonly retries: number
  /** Resolves once the post under way is acknowledged. */
  stop(): Promise<void>
}

const PAUSE_MS = 40

/**
 * Posts one text after the other, each with a key of its own and again until it is acknowledged: so
 * what was committed and what was acknowledged are the same in the end.
 */
export function startSteadyWriter(client: Client, word: string): SteadyWriter {
  const acknowledged: string[] = []
  let retries = 0
  let isStopping = false

  async function postUntilAcknowledged(text: string): Promise<string> {
    const headers = { 'idempotency-key': crypto.randomUUID() }
    for (;;) {
      try {
        const { data, status } = await client.v1.posts.post(
          { text },
          { headers, fetch: { signal: AbortSignal.timeout(10_000) } },
        )
        if (data) return data.id
        if (Number(status) < 500) throw new Error(`post answered ${status}`)
      } catch (error) {
        if (error instanceof Error && error.message.startsWith('post answered')) throw error
      }
      retries++
      await Bun.sleep(PAUSE_MS)
    }
  }

  async function write(): Promise<void> {
    for (let n = 0; !isStopping; n++) {
      acknowledged.push(await postUntilAcknowledged(`${word} number ${n}`))
      await Bun.sleep(PAUSE_MS)
    }
  }

  const done = write()
  done.catch(() => {})
  return {
    acknowledged,
    get retries() {
      return retries
    },
    async stop() {
      isStopping = true
      await done
    },
  }
}
