import { backoffMs } from '@sns/shared/async/retry'
import { sleep } from '@sns/shared/async/sleep'
import type { Clock } from '@sns/shared/domain/clock'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { isSnsError } from '@sns/shared/errors/sns-error'
import { StoreHalted } from '@sns/shared/errors/store-halted'
import type { ChangeEvent } from '@sns/shared/events/change-event'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { ChangeLog } from '@sns/shared/ports/change-log'
import type { DeadLetter, DeadLetters } from '@sns/shared/ports/dead-letters'
import type { CurrentIndex, IndexGeneration } from '@sns/shared/ports/index-generations'
import type { ApplyResult, SearchChange } from '@sns/shared/ports/search-index'
import { type Consumer, createConsumer } from '@sns/shared/runtime/consumer'
import { createBreaker } from './breaker'
import { createHalts, type Halted } from './halts'
import { INDEXED_TABLES, type IndexedTable, nameOf, searchChange } from './search-change'

export const INDEX_GROUP = 'index'

interface IndexerDeps {
  readonly changeLog: Pick<ChangeLog, 'consume' | 'backlog'>
  readonly index: CurrentIndex
  readonly deadLetters: Pick<DeadLetters, 'add'>
  readonly metrics: Pick<
    Metrics,
    | 'indexBulkSeconds'
    | 'indexDocuments'
    | 'indexHalted'
    | 'indexLagSeconds'
    | 'consumerRetries'
    | 'consumerBacklog'
  >
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>
  readonly clock: Clock
}

interface IndexerOptions {
  /**
   * What the names of consumer groups begin with, where another deployment's must be told apart; in metrics it is
   * `index`.
   */
  readonly group?: string
  /** The most changes taken from the log at once. */
  readonly maxBatch?: number
  /** How often it is asked whether searches read another generation now. */
  readonly lookMs?: number
}

const MAX_BATCH = 1_000
const LOOK_MS = 1_000
const RETRY = { baseMs: 200, capMs: 3_000 }

/**
 * Applies the log to the search index. Delivery is at least once and the index keeps the newest
 * version of a document, so repeats and late arrivals change nothing.
 *
 * Each generation of the index has a consumer group of its own: what a group has done is in its generation. So a
 * generation that was made anew is filled from the beginning of the log, and one that is read again goes on where it was.
 *
 * Retrying cannot help with a document that the index rejects: its change becomes a dead letter, so that later
 * changes continue, and is logged with its id and the reason. Where the index rejects most of what comes, it is
 * the index that is wrong: nothing is put aside, and the batch comes again until that is mended. So it is where the index
 * takes nothing at all: a full disk, a block, a right that is missing.
 */
export function createIndexer(deps: IndexerDeps, options: IndexerOptions = {}): Consumer {
  const { index, deadLetters, metrics, logger, clock } = deps
  const { group = INDEX_GROUP, lookMs = LOOK_MS } = options

  const breaker = createBreaker()
  const halts = createHalts(deps)
  const lag = metrics.indexLagSeconds.tally({})

  async function handle(
    { search }: IndexGeneration,
    events: readonly ChangeEvent<IndexedTable>[],
  ): Promise<void> {
    const latest = latestChanges(events)
    const kinds = new Set([...latest.keys()].map((change) => nameOf(change).kind))
    const stop = metrics.indexBulkSeconds.startTimer()
    const { applied, stale, rejected } = await haltingOn(kinds, () =>
      search.apply([...latest.keys()]),
    )
    stop()
    const share = breaker.note(latest.size, rejected.length)
    if (share !== null) {
      const reason = `the search index rejects most documents (${share}): ${rejected[0]?.reason}; the indexer waits until it takes them`
      halts.halt(kinds, reason)
      throw new Error(reason)
    }
    halts.resume(kinds)
    await putAside(rejected, latest)
    metrics.indexDocuments.inc({ outcome: 'applied' }, applied)
    metrics.indexDocuments.inc({ outcome: 'stale' }, stale)
    metrics.indexDocuments.inc({ outcome: 'rejected' }, rejected.length)
    observeLag(events)
  }

  /** Halts what the work is for where an operator must act first, and lets the error go on. */
  async function haltingOn<Result>(
    what: Iterable<Halted>,
    work: () => Promise<Result>,
  ): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof StoreHalted) halts.halt(what, error.message)
      throw error
    }
  }

  /** The generation that searches read; a `StoreHalted` where it can be neither found nor made. */
  async function look(): Promise<IndexGeneration> {
    return await haltingOn(['index'], async () => {
      try {
        const generation = await index.current()
        halts.resume(['index'])
        return generation
      } catch (error) {
        throw error instanceof OperatorError ? new StoreHalted(error.message, error) : error
      }
    })
  }

  async function putAside(
    rejected: ApplyResult['rejected'],
    latest: ReadonlyMap<SearchChange, ChangeEvent<IndexedTable>>,
  ): Promise<void> {
    const letters: DeadLetter[] = []
    for (const { change, reason } of rejected) {
      logger.error({ ...nameOf(change), reason }, 'the search index rejected a document')
      const event = latest.get(change)
      if (!event) throw new TypeError('the index rejected what it was not given')
      letters.push({ change: event, stage: 'index', reason, attempts: 1, at: clock.now() })
    }
    if (letters.length > 0) await deadLetters.add(letters)
  }

  /** Snapshot rows have no lag: their commit time is unknown. */
  function observeLag(events: readonly ChangeEvent<IndexedTable>[]): void {
    const now = clock.now()
    for (const { source } of events) {
      if (source.snapshot === 'true') continue
      lag.observe(Math.max(0, now - source.ts_ms) / 1_000)
    }
  }

  function consumerOf(generation: IndexGeneration): Consumer {
    return createConsumer(deps, {
      name: INDEX_GROUP,
      group: generationGroup(group, generation.id),
      tables: INDEXED_TABLES,
      needsSequence: true,
      maxBatch: options.maxBatch ?? MAX_BATCH,
      handle: (events) => handle(generation, events),
    })
  }

  /** Resolves when searches read another generation, or the signal aborts. */
  async function untilReplaced({ id }: IndexGeneration, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(lookMs, signal)
      const now = await look().catch(() => null)
      if (now && now.id !== id) return
    }
  }

  /** Applies the log to one generation, as long as searches read it. */
  async function fill(generation: IndexGeneration, signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    const either = AbortSignal.any([signal, over.signal])
    consumer = consumerOf(generation)
    const replaced = untilReplaced(generation, either).then(() => over.abort())
    try {
      await consumer.run(either)
    } finally {
      over.abort()
      consumer = null
      halts.resume(['post', 'user'])
      failure = new Error('the consumer goes over to another generation of the index')
      await replaced
    }
  }

  let consumer: Consumer | null = null
  let failure: unknown = new Error('the search index was not looked for yet')

  return {
    name: INDEX_GROUP,
    async run(signal) {
      for (let failures = 0; !signal.aborted; ) {
        try {
          const generation = await look()
          failures = 0
          logger.info({ generation: generation.id }, 'indexing')
          await fill(generation, signal)
        } catch (error) {
          if (!isSnsError(error, 'store_unavailable')) throw error
          failure = error
          failures += 1
          logger.warn({ err: error }, 'the search index is not there; it is looked for again')
          await sleep(backoffMs(failures, RETRY), signal)
        }
      }
    },
    health: {
      name: INDEX_GROUP,
      async check() {
        halts.check()
        if (!consumer) throw failure
        await consumer.health.check()
      },
    },
  }
}

/** The last change of each document, with its event; earlier changes in the same batch are not needed. */
function latestChanges(
  events: readonly ChangeEvent<IndexedTable>[],
): ReadonlyMap<SearchChange, ChangeEvent<IndexedTable>> {
  const latest = new Map<string, readonly [SearchChange, ChangeEvent<IndexedTable>]>()
  for (const event of events) {
    const change = searchChange(event)
    const { kind, id } = nameOf(change)
    const known = latest.get(`${kind} ${id}`)
    if (known === undefined || known[0].version <= change.version) {
      latest.set(`${kind} ${id}`, [change, event])
    }
  }
  return new Map(latest.values())
}

/** The consumer group of a generation of the index. */
export function generationGroup(group: string, id: string): string {
  return id === '' ? group : `${group}.${id}`
}
