import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMetrics } from '@sns/shared/observability/metrics'

const FILE = join(import.meta.dir, '../../ops/grafana/dashboards/overview.json')

describe('the overview dashboard', () => {
  const dashboard = JSON.parse(readFileSync(FILE, 'utf8')) as {
    panels: {
      id: number
      gridPos: { x: number; y: number }
      type: string
      title: string
      targets?: { expr: string }[]
    }[]
  }
  const queries = dashboard.panels.flatMap((panel) => panel.targets ?? []).map(({ expr }) => expr)

  test('asks only for series that the services export, by labels that these have', async () => {
    const exported = new Map<string, Set<string>>()
    for (const metric of await createMetrics().registry.getMetricsAsJSON()) {
      const labels = new Set([...labelNamesOf(metric.name), 'le', 'job', 'instance'])
      for (const suffix of ['', '_bucket', '_count', '_sum'])
        exported.set(metric.name + suffix, labels)
    }
    expect(queries.length).toBeGreaterThan(15)
    for (const query of queries) {
      const names = [...query.matchAll(/\bsns_\w+/g)].map(([name]) => name)
      expect(names.length, query).toBeGreaterThan(0)
      for (const name of names) expect(exported.has(name), `${name} in ${query}`).toBe(true)
      for (const [, by] of query.matchAll(/by \(([^)]*)\)/g)) {
        for (const label of by!.split(',').map((each) => each.trim())) {
          const known = names.some((name) => exported.get(name)?.has(label))
          expect(known, `${label} in ${query}`).toBe(true)
        }
      }
    }
  })

  test('shows every metric', async () => {
    const shown = new Set(
      queries.flatMap((query) => [...query.matchAll(/\bsns_\w+/g)].map(([name]) => name)),
    )
    const families = await createMetrics().registry.getMetricsAsJSON()
    const absent = families
      .map(({ name }) => name)
      .filter((name) => !['', '_bucket', '_count', '_sum'].some((end) => shown.has(name + end)))
    expect(absent).toEqual([])
  })

  test('panels do not overlap, and each has an id of its own', () => {
    const places = dashboard.panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)
    expect(new Set(places).size).toBe(places.length)
    const ids = dashboard.panels.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

function labelNamesOf(name: string): readonly string[] {
  const metric: unknown = createMetrics().registry.getSingleMetric(name)
  return (metric as { labelNames?: readonly string[] }).labelNames ?? []
}
