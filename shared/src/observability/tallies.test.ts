import { expect, test } from 'bun:test'
import { Histogram, Registry } from 'prom-client'
import { TalliedCounter, TalliedGauge, TalliedHistogram } from './tallies'

const lines = async (registry: Registry) =>
  (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))

test('a tally is in its counter when that is read, once, beside what was counted otherwise', async () => {
  const registry = new Registry()
  const counter = new TalliedCounter({
    name: 'looked_up_total',
    help: 'Looked up by result',
    labels: { result: ['hit', 'miss'] },
    registers: [registry],
  })
  const [hits, others] = [counter.tally({ result: 'hit' }), counter.tally({ result: 'hit' })]
  const unread = ['looked_up_total{result="hit"} 0', 'looked_up_total{result="miss"} 0']
  expect(await lines(registry)).toEqual(unread)
  hits.count += 2
  others.count += 3
  counter.inc({ result: 'miss' })
  const read = ['looked_up_total{result="hit"} 5', 'looked_up_total{result="miss"} 1']
  expect(await lines(registry)).toEqual(read)
  expect(await lines(registry)).toEqual(read)
  hits.count += 1
  expect((await counter.get()).values.map(({ value }) => value)).toEqual([6, 1])
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

test('a tallied histogram says what one that counts by itself says', async () => {
  const configuration = {
    name: 'took_seconds',
    help: 'Took',
    labelNames: ['route', 'status'] as const,
    buckets: [0.001, 0.01, 0.1],
  }
  const [ours, theirs] = [new Registry(), new Registry()]
  const tallied = new TalliedHistogram({ ...configuration, registers: [ours] })
  const plain = new Histogram({ ...configuration, registers: [theirs] })
  expect(await lines(ours)).toEqual([])
  const routes = [
    { labels: { route: '/a', status: '2xx' }, took: [0, 0.001, 0.0011, 0.05, 0.1] },
    { labels: { route: '/b "c"', status: '5xx' }, took: [0.2, 7, 0.01] },
  ]
  for (const { labels, took } of routes) {
    const tally = tallied.tally(labels)
    for (const seconds of took) {
      tally.observe(seconds)
      plain.observe(labels, seconds)
    }
  }
  expect(await lines(ours)).toEqual(await lines(theirs))
  expect((await tallied.get()).values).toHaveLength(2 * 6)
  expect(() => tallied.observe({ route: '/a', status: '2xx' }, 1)).toThrow('by its tallies')
})
