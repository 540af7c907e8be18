import { expect, test } from 'bun:test'
import { processorSeconds, samples } from './measures'

test('sums a series over its labels and leaves others alone', () => {
  const text = `# HELP a_total x
a_total{k="1"} 3
a_total{k="2"} 4.5
a_total_created 9
b_total 1`
  expect(samples(text, 'a_total')).toBe(7.5)
  expect(samples(text, 'b_total')).toBe(1)
  expect(samples(text, 'c_total')).toBe(0)
})

test.skipIf(process.platform !== 'linux')('adds up processor time by name', () => {
  const spent = () => processorSeconds(new Map([[process.pid, 'this one']])).get('this one') ?? 0
  const before = spent()
  // To look is work enough: it ends as soon as some of it is counted.
  while (spent() === before);
  expect(spent()).toBeGreaterThan(before)
})
