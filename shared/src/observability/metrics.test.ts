import { describe, expect, test } from 'bun:test'
import { ERROR_CODES } from '../errors/error-codes'
import { capturedTables } from '../events/tables'
import { createMetrics } from './metrics'

interface Series {
  readonly value: number
  readonly labels: Readonly<Record<string, string>>
}

describe('a counter', async () => {
  const families = await createMetrics().registry.getMetricsAsJSON()
  const counters = families.filter(({ type }) => String(type) === 'counter')
  const seriesOf = (name: string) =>
    (counters.find((each) => each.name === name) as { values: Series[] } | undefined)?.values ?? []

  test.each(counters.map(({ name }) => name))('%s is exported before anything happens', (name) => {
    if (name.startsWith('sns_process_')) return
    const values = seriesOf(name).map(({ value }) => value)
    expect(values.length).toBeGreaterThan(0)
    expect(new Set(values)).toEqual(new Set([0]))
  })

  test('has a series for every value of its labels', () => {
    const labels = (name: string, label: string) =>
      seriesOf(name).map((series) => series.labels[label])
    const stores = ['mysql', 'sqlite', 'redis', 'kafka', 'elasticsearch']
    expect(labels('sns_store_errors_total', 'store')).toEqual(stores)
    expect(labels('sns_store_retries_total', 'store')).toEqual(stores)
    const consumers = ['fanout', 'announce', 'derive', 'index']
    expect(labels('sns_consumer_retries_total', 'group')).toEqual(consumers)
    expect(labels('sns_http_problems_total', 'code')).toEqual(Object.keys(ERROR_CODES))
    const rows = seriesOf('sns_capture_rows_total').map((each) => each.labels)
    expect(rows).toEqual(
      capturedTables.flatMap((table) => ['c', 'u', 'd', 'r'].map((op) => ({ table, op }))),
    )
  })
})
