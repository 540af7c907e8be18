/** The result of running test files. */
export interface Outcome {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Failures that belong to no single test. */
  readonly problems: readonly string[]
}

export const NOTHING: Outcome = { passed: 0, failed: 0, skipped: 0, problems: [] }

export interface FinishedRun {
  readonly files: readonly string[]
  /** The JUnit report; null where the runner died before it wrote one. */
  readonly report: string | null
  readonly exitCode: number | null
}

/**
 * Derives the result of a run from its JUnit report and its exit code. A crashed runner, a file
 * that never ran and an unexplained exit code each count as a failure.
 */
export function outcomeOf({ files, report, exitCode }: FinishedRun): Outcome {
  if (report === null) {
    return failure(`the test runner ended with ${exitCode ?? 'a signal'} and left no report`)
  }
  const totals = /<testsuites\b([^>]*)>/.exec(report)?.[1] ?? ''
  const [tests, failures, skipped] = ['tests', 'failures', 'skipped'].map((name) =>
    Number(new RegExp(`\\b${name}="(\\d+)"`).exec(totals)?.[1] ?? Number.NaN),
  )
  if (!isCount(tests) || !isCount(failures) || !isCount(skipped)) {
    return failure('the report of the test runner cannot be read')
  }
  const ran = new Set([...report.matchAll(/<testsuite\b[^>]*\bfile="([^"]*)"/g)].map((m) => m[1]))
  const problems = files.filter((file) => !ran.has(file)).map((file) => `${file}: ran no test`)
  if (exitCode !== 0 && failures === 0 && problems.length === 0) {
    problems.push(`the test runner ended with ${exitCode ?? 'a signal'} though no test failed`)
  }
  return {
    passed: tests - failures - skipped,
    failed: failures + problems.length,
    skipped,
    problems,
  }
}

export function sum(outcomes: readonly Outcome[]): Outcome {
  return outcomes.reduce(
    (all, each) => ({
      passed: all.passed + each.passed,
      failed: all.failed + each.failed,
      skipped: all.skipped + each.skipped,
      problems: [...all.problems, ...each.problems],
    }),
    NOTHING,
  )
}

function failure(problem: string): Outcome {
  return { passed: 0, failed: 1, skipped: 0, problems: [problem] }
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value)
}
