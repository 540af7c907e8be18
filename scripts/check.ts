import { join } from 'node:path'
import { structureProblems } from './check/structure'

const root = join(import.meta.dir, '..')

/** Format and lint, types, then layers and cycles. Prints what is wrong; true if nothing is. */
export async function runChecks(): Promise<boolean> {
  const biome = await passes('format and lint', ['biome', 'check', '.'])
  const types = await passes('types', ['tsc', '--project', '.'])
  const problems = structureProblems(root)
  for (const problem of problems) console.error(problem)
  report('layers and cycles', problems.length === 0)
  return biome && types && problems.length === 0
}

async function passes(what: string, command: string[]): Promise<boolean> {
  const child = Bun.spawn([process.execPath, '--bun', 'run', ...command], {
    cwd: root,
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  const ok = (await child.exited) === 0
  if (!ok) console.error(out + err)
  report(what, ok)
  return ok
}

function report(what: string, ok: boolean): void {
  console.log(`check: ${what} ${ok ? 'ok' : 'FAILED'}`)
}

if (import.meta.main) process.exit((await runChecks()) ? 0 : 1)
