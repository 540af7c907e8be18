import { join } from 'node:path'
import { Glob } from 'bun'

/** Where tests and what helps them are. */
const TESTS = [
  '{client,services,shared,scripts,tests}/**/*.test.{ts,tsx}',
  '{services,shared}/**/testing/**/*.ts',
  'tests/**/*.ts',
]

/** Files that may read a stopwatch, and what for. No result of theirs is compared with a time but a coarse multiple. */
const ALLOWED: Readonly<Record<string, string>> = {
  'shared/src/testing/eventually.ts': 'gives up waiting after a while',
  'shared/src/testing/loop-stall.ts': 'a stall is compared with a multiple of one in the same run',
  'shared/src/adapters/redis/freshness.server.test.ts': 'the clock of a fence',
  'shared/src/adapters/redis/cluster.server.test.ts': 'the clock of a fence',
  'scripts/check/test-clocks.test.ts': 'quotes such lines',
  'tests/faults/soak.server.test.ts': 'goes on for as many hours as it is told',
  'tests/faults/mysql-moves.server.test.ts': 'goes on for as many hours as it is told',
  'tests/faults/moving-mysql.ts': 'tells how long each move was felt, and compares it with nothing',
}

const STOPWATCH =
  /\bperformance\.(?:now|measure|mark)\b|\bnanoseconds\(|\bhrtime\b|\b(?:threadC|c)puUsage\(/
const NOW = String.raw`(?:\bDate\.now\(\)|\bnew Date\(\))`
/** The wall clock in a comparison or a difference; neither `=>` nor a time that lies ahead is one. */
const COMPARED = new RegExp(
  `${NOW}(?:\\.getTime\\(\\)|\\.valueOf\\(\\))?\\s*(?:-|<|>)|(?:-|<|(?<!=)>)=?\\s*\\+?${NOW}|\\.toBe(?:Less|Greater)Than(?:OrEqual)?\\([^)]*${NOW}`,
)

/**
 * The lines of tests, as `file:line`, that read a stopwatch or compare times: on a busy machine such a test fails for
 * nothing. What work costs is bounded by counting it.
 */
export async function findTestClocks(root: string): Promise<readonly string[]> {
  const found = new Set<string>()
  for (const pattern of TESTS) {
    for await (const file of new Glob(pattern).scan({ cwd: root })) {
      if (file.includes('node_modules/') || Object.hasOwn(ALLOWED, file)) continue
      for (const line of linesWithClocks(await Bun.file(join(root, file)).text()))
        found.add(`${file}:${line}`)
    }
  }
  return [...found].sort()
}

/** The numbers of such lines, from 1. */
export function linesWithClocks(text: string): readonly number[] {
  return text
    .split('\n')
    .flatMap((line, at) => (STOPWATCH.test(line) || COMPARED.test(line) ? [at + 1] : []))
}
