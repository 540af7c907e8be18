import type { Client } from '@sns/api/client'

export interface SteadyReader {
  /** Feed pages that were answered so far. */
  readonly answered: number
  /** Reads that were answered with 503. */
  readonly refused: number
  /** Every id that was shown in any page. */
  readonly shown: ReadonlySet<string>
  /** Resolves once the read under way is answered; rejects where any read was answered wrongly. */
  stop(): Promise<void>
}

const PAUSE_MS = 60
/** Far above what any read may take: a request that is not answered by then never is. */
const PATIENCE_MS = 30_000

/** Reads one page of a feed after the other; each must be in order or a 503. */
export function startSteadyReader({ v1 }: Client): SteadyReader {
  const shown = new Set<string>()
  let answered = 0
  let refused = 0
  let isStopping = false

  async function read(): Promise<void> {
    while (!isStopping) {
      const { data, status } = await v1.feed.get({
        query: { limit: 50 },
        fetch: { signal: AbortSignal.timeout(PATIENCE_MS) },
      })
      if (data) {
        answered++
        const ids = data.items.map(({ id }) => Number(id))
        if (ids.some((id, i) => i > 0 && id >= (ids[i - 1] ?? 0))) {
          throw new Error(`a page out of order or with repeats: ${ids.join()}`)
        }
        for (const { id } of data.items) shown.add(id)
      } else if (Number(status) === 503) refused++
      else throw new Error(`the feed answered ${status}`)
      await Bun.sleep(PAUSE_MS)
    }
  }

  const done = read()
  done.catch(() => {})
  return {
    get answered() {
      return answered
    },
    get refused() {
      return refused
    },
    shown,
    async stop() {
      isStopping = true
      await done
    },
  }
}
