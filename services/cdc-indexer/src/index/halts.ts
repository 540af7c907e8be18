import { StoreHalted } from '@sns/shared/errors/store-halted'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { SearchKind } from '@sns/shared/ports/search-index'

/** What an operator must mend: the documents of a kind, or `index`, which cannot be found or made. */
export type Halted = SearchKind | 'index'

/** What keeps the indexer waiting until an operator acts, in a gauge, a log line and readiness. */
export interface Halts {
  /** The reason says what to do. Logged once, however often the same is found. */
  halt(what: Iterable<Halted>, reason: string): void
  resume(what: Iterable<Halted>): void
  /** Throws the first reason, if there is one. */
  check(): void
}

export function createHalts({
  metrics,
  logger,
}: {
  readonly metrics: Pick<Metrics, 'indexHalted'>
  readonly logger: Pick<Logger, 'info' | 'error'>
}): Halts {
  // By kind: one index may be halted while the other takes what it is given.
  const reasons = new Map<Halted, string>()
  return {
    halt(what, reason) {
      for (const each of what) {
        if (reasons.get(each) === reason) continue
        reasons.set(each, reason)
        logger.error({ halted: each, reason }, 'indexing waits for an operator')
      }
      metrics.indexHalted.set(reasons.size > 0 ? 1 : 0)
    },
    resume(what) {
      for (const each of what) {
        if (reasons.delete(each)) logger.info({ halted: each }, 'indexing resumed')
      }
      metrics.indexHalted.set(reasons.size > 0 ? 1 : 0)
    },
    check() {
      for (const reason of reasons.values()) throw new StoreHalted(reason)
    },
  }
}
