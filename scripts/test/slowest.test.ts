import { expect, test } from 'bun:test'
import { slowestFiles } from './slowest'

test('the files that took longest are named, and no group within one', () => {
  const suite = (name: string, file: string, time: number) =>
    `<testsuite name="${name}" file="${file}" tests="1" time="${time}">`
  const report = [
    '<testsuites name="bun test" tests="4" time="99.5">',
    suite('a.test.ts', 'a.test.ts', 2.4),
    suite('a group', 'a.test.ts', 50),
    suite('b.test.ts', 'b.test.ts', 12),
    suite('c.test.ts', 'c.test.ts', 0.3),
  ].join('\n')
  expect(slowestFiles(report)).toEqual(['   12 s  b.test.ts', '    2 s  a.test.ts'])
  expect(slowestFiles('')).toEqual([])
})
