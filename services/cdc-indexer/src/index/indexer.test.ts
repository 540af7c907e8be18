import { describe, expect, test } from 'bun:test'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import type { ChangeEvent } from '@sns/shared/events/change-event'
import { createMetrics } from '@sns/shared/observability/metrics'
import type { SearchChange, SearchIndex } from '@sns/shared/ports/search-index'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import { createIndexer, INDEX_GROUP, type IndexedTable } from './indexer'
import { change, createScriptedChangeLog, postRow, userRow } from './testing/index-fakes'

/** Remembers what it was given; `apply` decides what becomes of it. */
function setUp(
  batches: readonly (readonly ChangeEvent<IndexedTable>[])[],
  apply: (changes: readonly SearchChange[], call: number) => Partial<ApplyResult> = () => ({}),
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
  const metrics = createMetrics()
  const changeLog = createScriptedChangeLog(batches)
  const clock = createManualClock(6_500)
  const logger = { info: log('info'), warn: log('warn'), error: log('error'), debug: log('debug') }
  const indexer = createIndexer({ changeLog, search, metrics, logger: logger as never, clock })
  const metric = async (name: string) =>
    (await metrics.registry.getSingleMetricAsString(name))
      .split('\n')
      .filter((line) => !line.startsWith('#'))
  return { run: () => indexer.run(new AbortController().signal), given, logged, metric, changeLog }
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

  test('says which documents were refused, and goes on', async () => {
    const batches = [1, 2].map((id) => [change('posts', id, { op: 'c', after: postRow(id, 'x') })])
    const { run, given, logged, metric } = setUp(batches, ([first], call) =>
      call === 1 && first ? { applied: 0, rejected: [{ change: first, reason: 'too odd' }] } : {},
    )
    await run()
    expect(given).toHaveLength(2)
    expect(logged.filter((line) => line.level === 'error').map((line) => line.fields)).toEqual([
      { kind: 'post', id: 1, reason: 'too odd' },
    ])
    expect(await metric('sns_index_documents_total')).toContain(
      'sns_index_documents_total{outcome="rejected"} 1',
    )
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
    expect(logged.map((line) => line.level)).toEqual(['warn', 'warn'])
    expect(await metric('sns_consumer_retries_total')).toEqual([
      'sns_consumer_retries_total{group="index"} 2',
    ])
    expect(await metric('sns_index_documents_total')).toContain(
      'sns_index_documents_total{outcome="applied"} 1',
    )
  })
})
