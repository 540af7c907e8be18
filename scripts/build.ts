import { join } from 'node:path'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { COMMAND_LINES } from './commands'
import { readCommandLine, refuseOperands, withHelp } from './process/command-line'

const LINE = COMMAND_LINES.build
const root = join(import.meta.dir, '..')

/** One executable, `dist/sns` or the file named, that needs neither Bun nor the checkout. */
export const build: Command = async ({ args }) => {
  const [file, ...more] = readCommandLine(LINE, args).positionals
  refuseOperands(LINE, more)
  const outfile = file ?? join(root, 'dist', 'sns')
  // A process of its own: the bundler in this one would keep what it read.
  const compiler = Bun.spawn(
    [
      process.execPath,
      'build',
      '--compile',
      '--minify-syntax',
      '--minify-whitespace',
      `--outfile=${outfile}`,
      join(root, 'scripts', 'sns.ts'),
    ],
    { cwd: root, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
  )
  const [out, err] = await Promise.all([
    new Response(compiler.stdout).text(),
    new Response(compiler.stderr).text(),
  ])
  if ((await compiler.exited) !== 0) {
    process.stderr.write(out + err)
    throw new OperatorError('the executable could not be built; see above')
  }
  const megabytes = Math.round(Bun.file(outfile).size / 1024 / 1024)
  console.log(`${outfile} (${megabytes} MB)`)
}

if (import.meta.main)
  await runProgram('build', withHelp(LINE, build), { args: process.argv.slice(2) })
