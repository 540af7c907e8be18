import { join } from 'node:path'
import { findDrawers } from './check/folder-names'
import { findUntestedRoutes } from './check/route-tests'
import { findSecureContextUses } from './check/secure-contexts'
import { findUnshared } from './check/shared-use'
import { findTestClocks } from './check/test-clocks'
import { COMMAND_LINES } from './commands'
import { answersHelp } from './process/command-line'

const root = join(import.meta.dir, '..')

/** Checks format, lint (import rules included), types, that two programs use each shared file, that a test asks each route,
 * that no test compares times, that the page needs no https, and names of folders. Prints problems; true if there are none. */
export async function runChecks(): Promise<boolean> {
  const biome = await passes('format, lint and imports', ['biome', 'check', '.'])
  const types = (
    await Promise.all(
      ['.', 'client', 'services/api/web'].map((project) =>
        passes(`types of ${project}`, ['tsc', '--noEmit', '--project', project]),
      ),
    )
  ).every(Boolean)
  const unshared = await findUnshared(root)
  for (const file of unshared)
    console.error(`${file} is used by fewer than two programs: move it to the one that uses it`)
  report('shared is what two use', unshared.length === 0)
  const untested = await findUntestedRoutes(root)
  for (const route of untested) console.error(`no test of the api asks ${route}`)
  report('a test for each route', untested.length === 0)
  const clocks = await findTestClocks(root)
  for (const line of clocks)
    console.error(`${line} reads a stopwatch or compares times: count the work instead`)
  report('no test compares times', clocks.length === 0)
  const secure = await findSecureContextUses(root)
  for (const use of secure) console.error(`${use} is missing on plain http: ask for it with ?.`)
  report('the page works on plain http', secure.length === 0)
  const drawers = await findDrawers(root)
  for (const folder of drawers) console.error(`${folder} says nothing: name it by what is in it`)
  report('folders say what is in them', drawers.length === 0)
  return (
    biome &&
    types &&
    [unshared, untested, clocks, secure, drawers].every((each) => each.length === 0)
  )
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

if (import.meta.main) {
  const isHelp = answersHelp(COMMAND_LINES.check, process.argv.slice(2))
  process.exit(isHelp || (await runChecks()) ? 0 : 1)
}
