import { Glob } from 'bun'

/** Names under which anything may be put. */
const DRAWERS: readonly string[] = ['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'lib']

/** Folders of the checkout with such a name. */
export async function findDrawers(root: string): Promise<readonly string[]> {
  const found = new Set<string>()
  for (const part of ['client', 'services', 'shared', 'scripts', 'tests']) {
    for await (const file of new Glob(`${part}/**/*.{ts,tsx}`).scan({ cwd: root })) {
      if (file.includes('node_modules/')) continue
      const folders = file.split('/').slice(0, -1)
      const at = folders.findIndex((folder) => DRAWERS.includes(folder))
      if (at !== -1) found.add(folders.slice(0, at + 1).join('/'))
    }
  }
  return [...found].sort()
}
