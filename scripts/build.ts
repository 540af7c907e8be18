import { join } from 'node:path'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { buildClient } from './build/client-package'
import { runTool } from './build/tool'
import { COMMAND_LINES } from './commands'
import { readCommandLine, refuseOperands, withHelp } from './process/command-line'

const LINE = COMMAND_LINES.build
const root = join(import.meta.dir, '..')

/**
 * One executable, `dist/sns` or the file named, that needs neither Bun nor the checkout; or the client as a package, in
 * `dist/client` or the folder named.
 */
export const build: Command = async ({ args, signal }) => {
  const { values, positionals } = readCommandLine(LINE, args)
  const [target, ...more] = positionals
  refuseOperands(LINE, more)
  if (values.client) await buildClient(root, target ?? join(root, 'dist', 'client'), signal)
  else await buildExecutable(target ?? join(root, 'dist', 'sns'), signal)
}

async function buildExecutable(outfile: string, signal: AbortSignal): Promise<void> {
  // A process of its own: the bundler in this one would keep what it read.
  await runTool('the executable', { cwd: root, signal }, [
    'build',
    '--compile',
    '--define=process.env.NODE_ENV="production"',
    '--minify-syntax',
    '--minify-whitespace',
    `--outfile=${outfile}`,
    join(root, 'scripts', 'sns.ts'),
  ])
  const megabytes = Math.round(Bun.file(outfile).size / 1024 / 1024)
  console.log(`${outfile} (${megabytes} MB)`)
}

if (import.meta.main)
  await runProgram('build', withHelp(LINE, build), { args: process.argv.slice(2) })
