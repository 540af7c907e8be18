import { describe, expect, test } from 'bun:test'
import { outcomeOf, sum } from './outcome'

function report(tests: number, failures: number, skipped: number, files: readonly string[]) {
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="${tests}" assertions="9" failures="${failures}" skipped="${skipped}" time="0.1">
${files.map((file) => `  <testsuite name="${file}" file="${file}" tests="1"></testsuite>`).join('\n')}
</testsuites>`
}

describe('a run of tests', () => {
  test('that skips does not count what it skipped as passed', () => {
    expect(outcomeOf({ files: ['a'], report: report(6, 0, 4, ['a']), exitCode: 0 })).toEqual({
      passed: 2,
      failed: 0,
      skipped: 4,
      problems: [],
    })
  })

  test('that fails says how often', () => {
    expect(outcomeOf({ files: ['a'], report: report(6, 2, 1, ['a']), exitCode: 1 })).toMatchObject({
      passed: 3,
      failed: 2,
    })
  })

  test('that died has failed', () => {
    for (const exitCode of [137, null, 0]) {
      expect(outcomeOf({ files: ['a'], report: null, exitCode })).toMatchObject({
        passed: 0,
        failed: 1,
      })
    }
  })

  test('whose report is torn has failed', () => {
    expect(outcomeOf({ files: ['a'], report: '<testsuites name="bun', exitCode: 0 }).failed).toBe(1)
  })

  test('that left a file out has failed', () => {
    const run = { files: ['a', 'b'], report: report(1, 0, 0, ['a']), exitCode: 0 }
    expect(outcomeOf(run)).toMatchObject({ passed: 1, failed: 1, problems: ['b: ran no test'] })
  })

  test('that ended badly without a failed test has failed', () => {
    expect(outcomeOf({ files: ['a'], report: report(1, 0, 0, ['a']), exitCode: 1 }).failed).toBe(1)
  })
})

test('runs add up', () => {
  const a = { passed: 1, failed: 2, skipped: 3, problems: ['x'] }
  const b = { passed: 10, failed: 20, skipped: 30, problems: ['y'] }
  expect(sum([a, b])).toEqual({ passed: 11, failed: 22, skipped: 33, problems: ['x', 'y'] })
  expect(sum([])).toMatchObject({ passed: 0, failed: 0 })
})
