import { Glob } from 'bun'

export interface TestFiles {
  /** Need nothing but this machine. */
  readonly local: readonly string[]
  /** Use the real servers, and are run after the others. */
  readonly server: readonly string[]
}

const FOLDERS = ['client', 'scripts', 'services', 'shared', 'tests']

/** The test files below `root` whose path holds one of `filters`; all where there are none. */
export function findTestFiles(root: string, filters: readonly string[]): TestFiles {
  const files = FOLDERS.flatMap((folder) => [...new Glob(`${folder}/**/*.test.ts`).scanSync(root)])
    .filter((file) => !file.includes('node_modules/'))
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .sort()
  return {
    local: files.filter((file) => !isServerTest(file)),
    server: files.filter(isServerTest),
  }
}

function isServerTest(file: string): boolean {
  return file.endsWith('.server.test.ts')
}
