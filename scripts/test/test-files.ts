import { readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { Glob } from 'bun'

export interface TestFiles {
  /** Need nothing but this machine. */
  readonly local: readonly string[]
  /** Use the real servers, each its own part of them, and may run beside each other. */
  readonly sharing: readonly string[]
  /** Use the real servers too, and run one after the other, with nothing beside them. */
  readonly alone: readonly string[]
}

const FOLDERS = ['client', 'scripts', 'services', 'shared', 'tests']

/** Starts or ends programs: servers of the test's own, the shared ones, or ours. */
const PROGRAMS = /\bBun\.spawn|\bnode:child_process\b|\bprocess\.kill\b/
/** Said to a server, or asked of it, as a whole: others beside would meet with it, or it with them. */
const WHOLE_SERVER =
  /'flush'|\b(flush \w+|flushall|purge|reset|global|kill|processlist|innodb_\w+_stats|xa start|create user|cluster)\b/i
/** A time limit below a second, within which a server that others use may not answer. */
const SHORT_TIME = /\b\w*Ms: \d{1,3}\b/

/** The test files below `root` whose path holds one of `filters`; all where there are none. */
export function findTestFiles(root: string, filters: readonly string[]): TestFiles {
  const files = FOLDERS.flatMap((folder) => [...new Glob(`${folder}/**/*.test.ts`).scanSync(root)])
    .filter((file) => !file.includes('node_modules/'))
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .sort()
  const server = files.filter(isServerTest)
  const isAlone = createIsAlone()
  return {
    local: files.filter((file) => !isServerTest(file)),
    sharing: server.filter((file) => !isAlone(join(root, file))),
    alone: server.filter((file) => isAlone(join(root, file))),
  }
}

function isServerTest(file: string): boolean {
  return file.endsWith('.server.test.ts')
}

/** Told by what a test says, and by what it reaches through its imports. */
function createIsAlone(): (path: string) => boolean {
  const modules = new Map<string, { readonly text: string; readonly imports: readonly string[] }>()
  const transpiler = new Bun.Transpiler({ loader: 'ts' })

  function read(path: string) {
    const known = modules.get(path)
    if (known) return known
    const text = readFileSync(path, 'utf8')
    const imports = path.endsWith('.ts')
      ? transpiler
          .scanImports(text)
          .filter((each) => /^[.@]/.test(each.path))
          .map((each) => Bun.resolveSync(each.path, dirname(path)))
          .filter((found) => found.endsWith('.ts') && !found.includes(`${sep}node_modules${sep}`))
      : []
    const module = { text, imports }
    modules.set(path, module)
    return module
  }

  return (path) => {
    const reached = new Set([path])
    for (const each of reached) for (const found of read(each).imports) reached.add(found)
    if (SHORT_TIME.test(read(path).text)) return true
    return [...reached].some((each) => {
      const { text } = read(each)
      return PROGRAMS.test(text) || (isOfTests(each) && WHOLE_SERVER.test(text))
    })
  }
}

/** What the services say to their servers is for their own part of them. */
function isOfTests(path: string): boolean {
  return /\.test\.ts$|\/testing\/|\/tests\//.test(path)
}
