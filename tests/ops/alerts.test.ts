import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMetrics } from '@sns/shared/observability/metrics'
import { parse } from 'yaml'

const root = join(import.meta.dir, '../..')
const FOLDER = join(root, 'ops/prometheus')
const promtool = Bun.which('promtool')
if (!promtool) console.log('SKIPPED: no promtool here to try the alert rules with')

const { groups } = parse(readFileSync(join(FOLDER, 'alerts.yml'), 'utf8')) as {
  groups: { rules: { alert: string; expr: string }[] }[]
}
const rules = groups.flatMap((group) => group.rules)

test('alert rules ask only for what the services export', async () => {
  const families = await createMetrics().registry.getMetricsAsJSON()
  const exported = new Set(families.map(({ name }) => name))
  for (const { alert, expr } of rules) {
    for (const [name] of expr.matchAll(/\bsns_\w+/g)) {
      expect(exported.has(name), `${name} in ${alert}`).toBe(true)
    }
  }
})

test('each alert is explained to operators, and has a test in which it comes', () => {
  const docs = readFileSync(join(root, 'docs/03-operations.md'), 'utf8')
  const tried = readFileSync(join(FOLDER, 'alerts.test.yml'), 'utf8')
  expect(rules.length).toBeGreaterThan(5)
  for (const { alert } of rules) {
    expect(docs.includes(`| \`${alert}\` |`), alert).toBe(true)
    expect(new RegExp(`alertname: ${alert}\n +exp_alerts:`).test(tried), alert).toBe(true)
  }
})

test('Prometheus loads them where compose mounts them', () => {
  const { rule_files } = parse(readFileSync(join(FOLDER, 'prometheus.yml'), 'utf8'))
  const compose = parse(readFileSync(join(root, 'compose.yaml'), 'utf8'), { merge: true })
  expect(rule_files).toEqual(['/etc/prometheus/alerts.yml'])
  expect(compose.services.prometheus.volumes).toContain(
    './ops/prometheus/alerts.yml:/etc/prometheus/alerts.yml:ro',
  )
})

test.skipIf(!promtool)('they come when they should', () => {
  const file = join(FOLDER, 'alerts.test.yml')
  const run = Bun.spawnSync([promtool ?? '', 'test', 'rules', file])
  expect(`${run.stdout}${run.stderr}`).toContain('SUCCESS')
  expect(run.exitCode).toBe(0)
})
