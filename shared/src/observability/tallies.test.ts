import { expect, test } from 'bun:test'
import { Registry } from 'prom-client'
import { TalliedCounter, TalliedGauge } from './tallies'

const lines = async (registry: Registry) =>
  (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))

test('a tally is in its counter when that is read, once, beside what was counted otherwise', async () => {
  const registry = new Registry()
  const counter = new TalliedCounter({
    name: 'looked_up_total',
    help: 'Looked up by result',
    labelNames: ['result'] as const,
    registers: [registry],
  })
  const [hits, others] = [counter.tally({ result: 'hit' }), counter.tally({ result: 'hit' })]
  expect(await lines(registry)).toEqual([])
  hits.count += 2
  others.count += 3
  counter.inc({ result: 'miss' })
  const read = ['looked_up_total{result="miss"} 1', 'looked_up_total{result="hit"} 5']
  expect(await lines(registry)).toEqual(read)
  expect(await lines(registry)).toEqual(read)
  hits.count += 1
  expect((await counter.get()).values.map(({ value }) => value)).toEqual([1, 6])
})

test('a gauge shows how many there are now', async () => {
  const registry = new Registry()
  const gauge = new TalliedGauge({ name: 'in_flight', help: 'In flight', registers: [registry] })
  gauge.count += 2
  gauge.count -= 1
  expect(await lines(registry)).toEqual(['in_flight 1'])
  gauge.count -= 1
  expect(await lines(registry)).toEqual(['in_flight 0'])
})
