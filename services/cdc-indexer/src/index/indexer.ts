import type { Clock } from '@sns/shared/domain/clock'
import { type ChangeEvent, documentVersion, isChangeOf } from '@sns/shared/events/change-event'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { ChangeLog } from '@sns/shared/ports/change-log'
import type { SearchChange, SearchIndex } from '@sns/shared/ports/search-index'
import { type Consumer, createConsumer } from '@sns/shared/runtime/consumer'

export const INDEX_GROUP = 'index'

interface IndexerDeps {
  readonly changeLog: ChangeLog
  readonly search: Pick<SearchIndex, 'apply'>
  readonly metrics: Pick<
    Metrics,
    | 'indexBulkSeconds'
    | 'indexDocuments'
    | 'indexLagSeconds'
    | 'consumerRetries'
    | 'consumerBacklog'
  >
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>
  readonly clock: Clock
}

interface IndexerOptions {
  /** The consumer group, where another deployment's must be told apart; in metrics it is `index`. */
  readonly group?: string
  /** The most changes taken from the log at once. */
  readonly maxBatch?: number
}

const MAX_BATCH = 1_000

/**
 * Applies the log to the search index. Delivery is at least once and the index keeps the newest
 * version of a document, so repeats and late arrivals change nothing.
 *
 * Retrying cannot help with a document that the index rejects: it is logged with its id and the
 * reason, counted as rejected and skipped, so that later changes continue. Its next edit or a new
 * index includes it again.
 */
export function createIndexer(deps: IndexerDeps, options: IndexerOptions = {}): Consumer {
  const { search, metrics, logger, clock } = deps
  const { group = INDEX_GROUP } = options

  async function handle(events: readonly ChangeEvent<IndexedTable>[]): Promise<void> {
    const stop = metrics.indexBulkSeconds.startTimer()
    const { applied, stale, rejected } = await search.apply(latestChanges(events))
    stop()
    for (const { change, reason } of rejected) {
      logger.error({ ...nameOf(change), reason }, 'the search index rejected a document')
    }
    metrics.indexDocuments.inc({ outcome: 'applied' }, applied)
    metrics.indexDocuments.inc({ outcome: 'stale' }, stale)
    metrics.indexDocuments.inc({ outcome: 'rejected' }, rejected.length)
    observeLag(events)
  }

  /** Snapshot rows have no lag: their commit time is unknown. */
  function observeLag(events: readonly ChangeEvent<IndexedTable>[]): void {
    const now = clock.now()
    for (const { source } of events) {
      if (source.snapshot === 'true') continue
      metrics.indexLagSeconds.observe(Math.max(0, now - source.ts_ms) / 1_000)
    }
  }

  return createConsumer(deps, {
    name: INDEX_GROUP,
    group,
    tables: INDEXED_TABLES,
    maxBatch: options.maxBatch ?? MAX_BATCH,
    handle,
  })
}

/** The last change of each document; earlier changes in the same batch are not needed. */
function latestChanges(events: readonly ChangeEvent<IndexedTable>[]): SearchChange[] {
  const latest = new Map<string, SearchChange>()
  for (const event of events) {
    const change = searchChange(event)
    const { kind, id } = nameOf(change)
    const known = latest.get(`${kind} ${id}`)
    if (known === undefined || known.version <= change.version) {
      latest.set(`${kind} ${id}`, change)
    }
  }
  return [...latest.values()]
}

function nameOf(change: SearchChange): { readonly kind: 'post' | 'user'; readonly id: number } {
  const { kind, id } = change.op === 'index' ? change.document : change
  return { kind, id }
}

/** Tables that the search index is made from. */
const INDEXED_TABLES = ['posts', 'users'] as const
export type IndexedTable = (typeof INDEXED_TABLES)[number]

/**
 * What a change of a row means for the index. An update counts even where no indexed column changed: it may be the
 * only record of its row that compaction left.
 */
export function searchChange(event: ChangeEvent<IndexedTable>): SearchChange {
  const version = documentVersion(event)
  if (isChangeOf('posts', event)) {
    if (event.op === 'd') return { op: 'delete', version, kind: 'post', id: event.before.id }
    const { id, author_id: authorId, text, created_at: createdAt } = event.after
    return { op: 'index', version, document: { kind: 'post', id, authorId, text, createdAt } }
  }
  if (event.op === 'd') return { op: 'delete', version, kind: 'user', id: event.before.id }
  const { id, username, display_name: displayName } = event.after
  return { op: 'index', version, document: { kind: 'user', id, username, displayName } }
}
