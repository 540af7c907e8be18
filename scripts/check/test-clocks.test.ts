import { expect, test } from 'bun:test'
import { linesWithClocks } from './test-clocks'

test.each([
  'const from = performance.now()',
  'const from = Bun.nanoseconds()',
  'const from = process.hrtime.bigint()',
  'expect(Date.now() - from).toBeLessThan(100)',
  'if (until < Date.now()) break',
  'while (Date.now() <= until) await work()',
  'const took = new Date().getTime() - from',
  'const took = end - +new Date()',
  'expect(at).toBeLessThanOrEqual(Date.now() + 1)',
  'const spent = process.cpuUsage().user',
])('compares times: %s', (line) => {
  expect(linesWithClocks(`\n${line}\n`)).toEqual([2])
})

test.each([
  'const clock = createManualClock(Date.now())',
  "const column = 'c' + Date.now()",
  'const expiresAt = Date.now() + session.expiresIn * 1_000',
  'const clock = { now: () => Date.now() }',
  'expect(size - before).toBeLessThan(100)',
])('compares none: %s', (line) => {
  expect(linesWithClocks(line)).toEqual([])
})
