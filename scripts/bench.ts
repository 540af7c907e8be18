import { environment } from '@sns/shared/config/environment'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { readBenchArguments } from './bench/arguments'
import { benchBaseline } from './bench/baseline'
import { report } from './bench/report'

/** Runs one benchmark by name against a suite that it starts itself. */
export const bench: Command = async ({ args }) => {
  const options = readBenchArguments(args)
  if (options.name !== 'baseline') {
    throw new OperatorError(`there is no benchmark "${options.name}": there is baseline`, 2)
  }
  const figures = await benchBaseline(options)
  report(
    options.name,
    options.out,
    {
      stores: environment.DATABASE_URL?.startsWith('mysql') ? 'servers' : 'embedded',
      data: options.graph ?? 'the shipped sample',
    },
    figures,
  )
}

if (import.meta.main) await runProgram('bench', bench, { args: process.argv.slice(2) })
