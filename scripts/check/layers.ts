import type { Import } from './imports'

/** The parts of the house from the inside out; a part may import itself and what `mayUse` names. */
interface Layer {
  readonly name: string
  readonly path: RegExp
  readonly mayUse: readonly string[]
}

/** What adapters and services alike are made of. */
const CORE = ['domain', 'contract', 'errors', 'timing', 'config', 'observability', 'ports']

const LAYERS: readonly Layer[] = [
  { name: 'domain', path: /^shared\/src\/domain\//, mayUse: [] },
  { name: 'contract', path: /^shared\/src\/contract\//, mayUse: ['domain'] },
  { name: 'errors', path: /^shared\/src\/errors\//, mayUse: [] },
  { name: 'timing', path: /^shared\/src\/timing\//, mayUse: [] },
  { name: 'config', path: /^shared\/src\/config\//, mayUse: ['domain', 'errors'] },
  { name: 'observability', path: /^shared\/src\/observability\//, mayUse: ['config', 'errors'] },
  { name: 'ports', path: /^shared\/src\/ports\//, mayUse: ['domain', 'contract', 'errors'] },
  {
    name: 'adapters',
    path: /^shared\/src\/adapters\//,
    mayUse: CORE,
  },
  { name: 'service main', path: /^services\/[^/]+\/src\/main\.ts$/, mayUse: ['*'] },
  {
    name: 'capture ports',
    path: /^services\/cdc-indexer\/src\/capture\/ports\//,
    mayUse: CORE,
  },
  {
    name: 'capture adapters',
    path: /^services\/cdc-indexer\/src\/capture\/(mysql|kafka)\//,
    mayUse: [...CORE, 'adapters', 'capture ports'],
  },
  {
    name: 'services',
    path: /^services\//,
    mayUse: [...CORE, 'status app', 'capture ports'],
  },
  {
    name: 'status app',
    path: /^shared\/src\/runtime\/(status-app|readiness)\.ts$/,
    mayUse: ['errors', 'observability', 'ports'],
  },
  {
    name: 'runtime',
    path: /^shared\/src\/runtime\//,
    mayUse: [...CORE, 'adapters', 'status app'],
  },
  { name: 'scripts', path: /^scripts\//, mayUse: ['*'] },
]

/** Packages that only one place may know. */
const DRIVERS: Readonly<Record<string, RegExp>> = {
  mysql2: /^(shared\/src\/adapters|services\/cdc-indexer\/src\/capture)\/mysql\//,
  '@vlasky/zongji': /^services\/cdc-indexer\/src\/capture\/mysql\//,
  ioredis: /^shared\/src\/adapters\/redis\//,
  kafkajs: /^(shared\/src\/adapters|services\/cdc-indexer\/src\/capture)\/kafka\//,
  '@elastic/elasticsearch': /^shared\/src\/adapters\/elasticsearch\//,
  '@elastic/transport': /^shared\/src\/adapters\/elasticsearch\//,
  'bun:sqlite': /^shared\/src\/adapters\/sqlite\//,
  kysely: /^shared\/src\/adapters\/(sql|sqlite|mysql)\//,
  elysia:
    /^services\/api\/src\/(app\.ts|plugins\/|modules\/[^/]+\/(routes|model)\.ts)|^shared\/src\/runtime\/status-app\.ts$/,
  '@elysiajs/cors': /^services\/api\/src\/(app\.ts|plugins\/)/,
  '@elysiajs/openapi': /^services\/api\/src\/(app\.ts|plugins\/)/,
  '@elysiajs/eden': /^services\/api\/src\/client\.ts$/,
  'prom-client': /^shared\/src\/observability\//,
  pino: /^shared\/src\/observability\//,
  'cli-progress': /^scripts\//,
}

function isTestFile(file: string): boolean {
  return /\.test\.ts$|\/testing\/|^tests\//.test(file)
}

/** What an import breaks, in words; empty where it is fine. Tests may reach anywhere. */
export function layerProblems(imports: readonly Import[]): string[] {
  return imports.flatMap((each) => (isTestFile(each.from) ? [] : problemsOf(each)))
}

function problemsOf({ from, target, specifier }: Import): string[] {
  if ('package' in target) {
    const home = DRIVERS[target.package]
    return home && !home.test(from) ? [`${from}: ${specifier} may only be imported in ${home}`] : []
  }
  const source = layerOf(from)
  const destination = layerOf(target.file)
  if (!source) return [`${from}: belongs to no layer; see scripts/check/layers.ts`]
  const problems: string[] = []
  if (isTestFile(target.file)) problems.push(`${from}: imports test code (${specifier})`)
  else if (!destination) {
    if (/\.ts$/.test(target.file))
      problems.push(`${from}: imports ${specifier}, which is in no layer`)
  } else if (
    source !== destination &&
    !source.mayUse.includes('*') &&
    !source.mayUse.includes(destination.name)
  ) {
    problems.push(`${from}: ${source.name} may not import ${destination.name} (${specifier})`)
  }
  const [own, other] = [serviceOf(from), serviceOf(target.file)]
  if (own && other && own !== other) problems.push(`${from}: services never import each other`)
  return problems
}

/** Whether a source reads the environment outside config; this file only names what it looks for. */
export function environmentProblems(file: string, source: string): string[] {
  const allowed =
    isTestFile(file) ||
    /^shared\/src\/config\//.test(file) ||
    ['scripts/setup.ts', 'scripts/check/layers.ts'].includes(file)
  return !allowed && /\b(process|Bun)\.env\b|import\.meta\.env\b/.test(source)
    ? [`${file}: the environment is read in shared/src/config only`]
    : []
}

function layerOf(file: string): Layer | undefined {
  return LAYERS.find((layer) => layer.path.test(file))
}

function serviceOf(file: string): string | undefined {
  return /^services\/([^/]+)\//.exec(file)?.[1]
}
