import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** One import as it stands in a file; `target` is a path within the repository, or a package name. */
export interface Import {
  readonly from: string
  readonly specifier: string
  readonly target: { readonly file: string } | { readonly package: string }
}

const IMPORTS =
  /(?:^|[\n;])\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"\n]+)['"]|\bimport\s*\(\s*['"]([^'"\n]+)['"]|(?:^|\n)\s*import\s*['"]([^'"\n]+)['"]/g

const WORKSPACES: Readonly<Record<string, string>> = {
  '@sns/shared': 'shared/src',
  '@sns/api': 'services/api/src',
  '@sns/fanout-worker': 'services/fanout-worker/src',
  '@sns/cdc-indexer': 'services/cdc-indexer/src',
}

/** The imports of a source, type-only and dynamic ones included. `file` is relative to `root`. */
export function parseImports(root: string, file: string, source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  return [...code.matchAll(IMPORTS)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? ''
    return { from: file, specifier, target: resolve(root, file, specifier) }
  })
}

function resolve(root: string, file: string, specifier: string): Import['target'] {
  if (specifier.startsWith('.')) {
    return { file: withExtension(root, relative(root, join(root, dirname(file), specifier))) }
  }
  const parts = specifier.split('/')
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier)
  const workspace = WORKSPACES[name]
  if (workspace)
    return { file: withExtension(root, join(workspace, specifier.slice(name.length + 1))) }
  return { package: name }
}

function withExtension(root: string, path: string): string {
  if (/\.\w+$/.test(path) && existsSync(join(root, path))) return path
  return existsSync(join(root, `${path}.ts`)) ? `${path}.ts` : join(path, 'index.ts')
}
