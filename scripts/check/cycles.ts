import type { Import } from './imports'

/** Import cycles, each as the files on it, first again last. Finds one cycle per strongly tied group. */
export function importCycles(imports: readonly Import[]): string[][] {
  const edges = new Map<string, string[]>()
  for (const { from, target } of imports) {
    if ('file' in target) edges.set(from, [...(edges.get(from) ?? []), target.file])
  }
  const done = new Set<string>()
  const cycles: string[][] = []
  const path: string[] = []

  function visit(file: string): void {
    const at = path.indexOf(file)
    if (at >= 0) {
      cycles.push([...path.slice(at), file])
      return
    }
    if (done.has(file)) return
    path.push(file)
    for (const next of edges.get(file) ?? []) visit(next)
    path.pop()
    done.add(file)
  }

  for (const file of edges.keys()) visit(file)
  return cycles
}
