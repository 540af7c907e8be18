import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { Glob } from 'bun'

/** The services and the commands. */
const USERS = ['services/api', 'services/fanout-worker', 'services/cdc-indexer', 'scripts'] as const
const PACKAGES: Readonly<Record<string, string>> = {
  '@sns/shared/': 'shared/src/',
  '@sns/api/': 'services/api/src/',
  '@sns/fanout-worker/': 'services/fanout-worker/src/',
  '@sns/cdc-indexer/': 'services/cdc-indexer/src/',
}

/** Allowed in `shared` although one command alone uses them: only adapters may import drivers. */
const OF_DRIVERS: readonly string[] = [
  'shared/src/adapters/kafka/topics.ts',
  'shared/src/adapters/sql/table-copy.ts',
  'shared/src/adapters/sqlite/backup.ts',
  'shared/src/adapters/sqlite/restore.ts',
]

const transpiler = new Bun.Transpiler({ loader: 'ts' })

/**
 * The files of `shared/src` that fewer than two of the services and the commands use, directly or through
 * other files of `shared`. They belong to the one that uses them.
 */
export async function findUnshared(root: string): Promise<readonly string[]> {
  const imports = new Map<string, readonly string[]>()
  for (const pattern of ['shared/src/**/*.ts', 'services/*/src/**/*.ts', 'scripts/**/*.ts']) {
    for await (const file of new Glob(pattern).scan({ cwd: root })) {
      if (isProduct(file)) imports.set(file, await importsOf(root, file))
    }
  }
  const usedBy = new Map<string, Set<string>>()
  for (const user of USERS) {
    const waiting = [...imports.keys()].filter((file) => file.startsWith(`${user}/`))
    const seen = new Set<string>()
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (seen.has(file)) continue
      seen.add(file)
      // Code that one service takes from another does not count as shared.
      for (const next of imports.get(file) ?? []) {
        if (next.startsWith('shared/') || next.startsWith(`${user}/`)) waiting.push(next)
      }
      if (!file.startsWith('shared/')) continue
      const users = usedBy.get(file) ?? new Set()
      usedBy.set(file, users.add(user))
    }
  }
  return [...imports.keys()]
    .filter((file) => file.startsWith('shared/') && (usedBy.get(file)?.size ?? 0) < 2)
    .filter((file) => !OF_DRIVERS.includes(file))
    .sort()
}

function isProduct(file: string): boolean {
  return !/\.test\.ts$|\.d\.ts$|\/testing\//.test(file)
}

/** The files of the project that a file imports, types too, at once or when it needs them. */
async function importsOf(root: string, file: string): Promise<readonly string[]> {
  const source = await Bun.file(join(root, file)).text()
  // Imports of types are gone once the file is transpiled, so they are read from its text.
  const typed = [...source.matchAll(/^(?:import|export) type [^']*from '([^']+)'/gm)]
  const mixed = [...source.matchAll(/^import \{[^}]*\} from '([^']+)'/gm)]
  const scanned = transpiler.scanImports(source).map(({ path }) => path)
  const names = new Set([...scanned, ...[...typed, ...mixed].map((match) => match[1] ?? '')])
  return [...names].flatMap((name) => resolveFile(root, file, name) ?? [])
}

function resolveFile(root: string, file: string, name: string): string | null {
  const scope = Object.keys(PACKAGES).find((prefix) => name.startsWith(prefix))
  const base = scope
    ? `${PACKAGES[scope]}${name.slice(scope.length)}`
    : name.startsWith('.')
      ? relative(root, join(root, dirname(file), name))
      : null
  if (base === null) return null
  return existsSync(join(root, `${base}.ts`)) ? `${base}.ts` : null
}
