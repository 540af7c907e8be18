import { describe, expect, test } from 'bun:test'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import { StoreHalted } from '@sns/shared/errors/store-halted'
import type { ChangeEvent } from '@sns/shared/events/change-event'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import type { DeadLetter } from '@sns/shared/ports/dead-letters'
import type { IndexGeneration } from '@sns/shared/ports/index-generations'
import type { SearchChange, SearchIndex } from '@sns/shared/ports/search-index'
import { eventually } from '@sns/shared/testing/eventually'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import { createIndexer, INDEX_GROUP } from './indexer'
import type { IndexedTable } from './search-change'
import { change, createScriptedChangeLog, postRow, userRow } from './testing/index-fakes'

/** Remembers what it was given; `apply` decides what becomes of it. */
function setUp(
  batches: readonly (readonly ChangeEvent<IndexedTable>[])[],
  apply: (changes: readonly SearchChange[], call: number) => Partial<ApplyResult> = () => ({}),
  look: () => void = () => {},
) {
  const given: (readonly SearchChange[])[] = []
  const search: Pick<SearchIndex, 'apply'> = {
    async apply(changes) {
      given.push(changes)
      const result = apply(changes, given.length)
      return { applied: changes.length, stale: 0, rejected: [], ...result }
    },
  }
  const logged: { level: string; fields: unknown }[] = []
  const log = (level: string) => (fields: unknown) => {
    logged.push({ level, fields })
  }
  const letters: DeadLetter[] = []
  const deadLetters = {
    async add(some: readonly DeadLetter[]) {
      letters.push(...some)
    },
  }
  const metrics = createMetrics()
  const stop = new AbortController()
  const changeLog = createScriptedChangeLog(batches, () => stop.abort())
  const clock = createManualClock(6_500)
  const logger = { info: log('info'), warn: log('warn'), error: log('error'), debug: log('debug') }
  const index = {
    async current() {
      look()
      return { id: '', search: search as SearchIndex }
    },
  }
  const deps = { changeLog, index, deadLetters, metrics, logger: logger as never, clock }
  const indexer = createIndexer(deps)
  const metric = async (name: string) =>
    (await metrics.registry.getSingleMetricAsString(name))
      .split('\n')
      .filter((line) => !line.startsWith('#'))
  return {
    run: () => indexer.run(stop.signal),
    given,
    letters,
    logged,
    metric,
    changeLog,
    health: indexer.health,
  }
}

type ApplyResult = Awaited<ReturnType<SearchIndex['apply']>>

describe('the indexer', () => {
  test('takes posts and users of its group', async () => {
    const { run, changeLog } = setUp([])
    await run()
    expect(changeLog.options).toMatchObject([{ group: INDEX_GROUP, tables: ['posts', 'users'] }])
  })

  test('applies only the last change of each document in a batch', async () => {
    const { run, given } = setUp([
      [
        change('posts', 1, { op: 'c', after: postRow(1, 'one') }),
        change('users', 2, { op: 'c', after: userRow(1, 'ann', 'Ann') }),
        change('posts', 3, { op: 'u', before: postRow(1, 'one'), after: postRow(1, 'two') }),
        change('posts', 4, { op: 'c', after: postRow(2, 'other') }),
        change('posts', 5, { op: 'd', before: postRow(2, 'other') }),
        // Redelivered, behind what came after it.
        change('posts', 1, { op: 'c', after: postRow(1, 'one') }),
      ],
    ])
    await run()
    expect(given).toHaveLength(1)
    expect(given[0]).toMatchObject([
      { op: 'index', document: { kind: 'post', id: 1, text: 'two' } },
      { op: 'index', document: { kind: 'user', id: 1 } },
      { op: 'delete', kind: 'post', id: 2 },
    ] as never)
  })

  test('prefers the later of two changes with one version', async () => {
    const late = { id: 't', total_order: 2 ** 18 }
    const later = { id: 't', total_order: 2 ** 18 + 1 }
    const { run, given } = setUp([
      [
        change('posts', 1, { op: 'c', after: postRow(1, 'one'), transaction: late }),
        change('posts', 1, { op: 'u', after: postRow(1, 'two'), transaction: later }),
      ],
    ])
    await run()
    expect(given[0]).toMatchObject([{ document: { text: 'two' } }] as never)
  })

  test('counts what became of changes, and how late they were', async () => {
    const batch = [1, 2, 3].map((id) => change('posts', id, { op: 'c', after: postRow(id, 'x') }))
    const found = change('posts', 4, { op: 'r', after: postRow(4, 'x') })
    const { run, metric } = setUp([[...batch, found]], () => ({ applied: 3, stale: 1 }))
    await run()
    expect(await metric('sns_index_documents_total')).toEqual([
      'sns_index_documents_total{outcome="applied"} 3',
      'sns_index_documents_total{outcome="stale"} 1',
      'sns_index_documents_total{outcome="rejected"} 0',
    ])
    const lag = await metric('sns_index_lag_seconds')
    expect(lag).toContain('sns_index_lag_seconds_count 3')
    expect(lag).toContain('sns_index_lag_seconds_sum 7.5')
    expect(await metric('sns_index_bulk_duration_seconds')).toContain(
      'sns_index_bulk_duration_seconds_count 1',
    )
    expect(await metric('sns_consumer_backlog')).toEqual(['sns_consumer_backlog{group="index"} 42'])
  })

  test('puts aside what was refused, says so, and goes on', async () => {
    const batches = [1, 2].map((id) => [change('posts', id, { op: 'c', after: postRow(id, 'x') })])
    const { run, given, letters, logged, metric } = setUp(batches, ([first], call) =>
      call === 1 && first ? { applied: 0, rejected: [{ change: first, reason: 'too odd' }] } : {},
    )
    await run()
    expect(given).toHaveLength(2)
    expect(logged.filter((line) => line.level === 'error').map((line) => line.fields)).toEqual([
      { kind: 'post', id: 1, reason: 'too odd' },
    ])
    expect<unknown>(letters).toEqual([
      { change: batches[0]?.[0], stage: 'index', reason: 'too odd', attempts: 1, at: 6_500 },
    ])
    expect(await metric('sns_index_documents_total')).toContain(
      'sns_index_documents_total{outcome="rejected"} 1',
    )
  })

  test('waits where most of what comes is refused, puts nothing aside, and goes on when it is mended', async () => {
    const batches = Array.from({ length: 30 }, (_, id) => [
      change('posts', id + 1, { op: 'c', after: postRow(id + 1, 'x') }),
    ])
    const halted: Promise<readonly string[]>[] = []
    const { run, given, letters, metric } = setUp(batches, ([first], call) => {
      // At the second try of the twentieth, and when it was taken.
      if (call === 21 || call === 27) halted.push(metric('sns_index_halted'))
      // Wrong from the first document on, until the twentieth has come five times.
      const isWrong = first && call <= 24
      return isWrong ? { applied: 0, rejected: [{ change: first, reason: 'no such field' }] } : {}
    })
    await run()
    expect(letters).toHaveLength(19)
    // The twentieth came until it was taken.
    expect(given).toHaveLength(30 + 5)
    expect(await Promise.all(halted)).toEqual([['sns_index_halted 1'], ['sns_index_halted 0']])
    expect(await metric('sns_consumer_retries_total')).toContain(
      'sns_consumer_retries_total{group="index"} 5',
    )
  })

  test('waits, says so and puts nothing aside where an operator must act first, for each index by itself', async () => {
    const users = [change('users', 1, { op: 'c', after: userRow(1, 'ann', 'Ann') })]
    const posts = [change('posts', 2, { op: 'c', after: postRow(1, 'x') })]
    const seen: unknown[] = []
    const { run, given, letters, logged, metric, health } = setUp(
      [posts, users, posts],
      ([first], call) => {
        seen.push(
          metric('sns_index_halted'),
          health.check().then(() => 'ok', String),
        )
        if (call > 3 || first?.op === 'delete' || first?.document.kind === 'user') return {}
        throw new StoreHalted('the disk is full: free space')
      },
    )
    await run()
    const [ok, full] = ['sns_index_halted 0', 'sns_index_halted 1']
    const states = await Promise.all(seen as Promise<unknown>[])
    expect(states.filter((_, at) => at % 2 === 0)).toEqual(
      [ok, full, full, full, ok, ok].map((line) => [line]),
    )
    expect(states[1]).not.toContain('disk')
    expect(states[3]).toContain('the disk is full: free space')
    expect(given).toHaveLength(6)
    expect(letters).toEqual([])
    expect(logged.filter(({ level }) => level === 'error')).toEqual([
      { level: 'error', fields: { halted: 'post', reason: 'the disk is full: free space' } },
    ])
    expect(logged.at(-1)).toEqual({ level: 'info', fields: { halted: 'post' } })
  })

  test('a batch of users that is taken says nothing of posts', async () => {
    const users = [change('users', 1, { op: 'c', after: userRow(1, 'ann', 'Ann') })]
    const posts = [change('posts', 2, { op: 'c', after: postRow(1, 'x') })]
    const { run, changeLog, metric, health } = setUp([], ([first]) => {
      if (first?.op === 'index' && first.document.kind === 'user') return {}
      throw new StoreHalted('a block')
    })
    // As with several brokers: a batch of one while another waits.
    const { consume } = changeLog
    changeLog.consume = async (options) => {
      const handle = options.handle as unknown as (
        events: readonly ChangeEvent<IndexedTable>[],
        signal: AbortSignal,
      ) => Promise<void>
      await expect(handle(posts, options.signal)).rejects.toThrow('a block')
      await handle(users, options.signal)
      expect(await metric('sns_index_halted')).toEqual(['sns_index_halted 1'])
      await expect(health.check()).rejects.toThrow('a block')
      await consume(options)
    }
    await run()
  })

  test('waits where a lost index cannot be made until an operator acts', async () => {
    const refusal = new OperatorError('no room for more shards: check ES_SHARDS')
    let asked = 0
    const { run, given, logged } = setUp(
      [[change('posts', 1, { op: 'c', after: postRow(1, 'x') })]],
      () => ({}),
      () => {
        asked += 1
        if (asked < 3) throw refusal
      },
    )
    await run()
    expect(given).toHaveLength(1)
    expect(logged.filter(({ level }) => level === 'error')).toEqual([
      { level: 'error', fields: { halted: 'index', reason: refusal.message } },
    ])
  })

  test('lets a batch come again when the index is away', async () => {
    const batch = [change('posts', 1, { op: 'c', after: postRow(1, 'x') })]
    const { run, given, logged, metric } = setUp([batch], (_, call) => {
      if (call < 3) throw storeUnavailable('elasticsearch')
      return {}
    })
    await run()
    expect(given).toHaveLength(3)
    expect(given[2]).toEqual(given[0] ?? [])
    expect(logged.map((line) => line.level)).toEqual(['info', 'warn', 'warn'])
    expect(await metric('sns_consumer_retries_total')).toContain(
      'sns_consumer_retries_total{group="index"} 2',
    )
    expect(await metric('sns_index_documents_total')).toContain(
      'sns_index_documents_total{outcome="applied"} 1',
    )
  })

  test('follows the generation that searches read, each in a group of its own', async () => {
    const applied: string[] = []
    const generation = (id: string): IndexGeneration => ({
      id,
      search: {
        async apply(changes: readonly SearchChange[]) {
          applied.push(id)
          return { applied: changes.length, stale: 0, rejected: [] }
        },
      } as unknown as SearchIndex,
    })
    let current: IndexGeneration | null = null
    const index = {
      async current() {
        if (current) return current
        throw storeUnavailable('elasticsearch')
      },
    }
    const batch = [change('posts', 1, { op: 'c', after: postRow(1, 'x') })]
    const changeLog = createScriptedChangeLog([batch], () => {})
    const clock = createManualClock()
    const deadLetters = { add: async () => {} }
    const logger = createLogger('test', 'silent')
    const deps = { changeLog, index, deadLetters, metrics: createMetrics(), logger, clock }
    const indexer = createIndexer(deps, { group: 'sns.index', lookMs: 1 })
    const stop = new AbortController()
    const running = indexer.run(stop.signal)
    await expect(indexer.health.check()).rejects.toThrow()
    current = generation('a')
    await eventually(() => applied.length === 1)
    current = generation('b')
    await eventually(() => applied.length === 2)
    current = generation('a')
    await eventually(() => applied.length === 3)
    stop.abort()
    await running
    expect(applied).toEqual(['a', 'b', 'a'])
    expect(changeLog.options.map(({ group }) => group)).toEqual([
      'sns.index.a',
      'sns.index.b',
      'sns.index.a',
    ])
  })
})
