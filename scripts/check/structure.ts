import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Glob } from 'bun'
import { importCycles } from './cycles'
import { parseImports } from './imports'
import { environmentProblems, layerProblems } from './layers'

/** Everything wrong with how the files of a checkout import each other, one line each. */
export function structureProblems(root: string): string[] {
  const files = ['scripts', 'services', 'shared', 'tests'].flatMap((folder) =>
    [...new Glob(`${folder}/**/*.ts`).scanSync(root)].filter((f) => !f.includes('node_modules')),
  )
  const sources = files.map((file) => ({ file, source: readFileSync(join(root, file), 'utf8') }))
  const imports = sources.flatMap(({ file, source }) => parseImports(root, file, source))
  return [
    ...layerProblems(imports),
    ...sources.flatMap(({ file, source }) => environmentProblems(file, source)),
    ...importCycles(imports).map((cycle) => `import cycle: ${cycle.join(' → ')}`),
  ]
}
