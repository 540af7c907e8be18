import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { Role } from '@sns/shared/config/settings'
import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'
import type { Command } from '@sns/shared/runtime/program'
import { VERSION } from '@sns/shared/runtime/version'

type Options = NonNullable<ParseArgsConfig['options']>

/** What `parseArgs` makes of options and of operands. */
type Arguments<Named extends Options> = Pick<
  ReturnType<
    typeof parseArgs<{
      readonly args: string[]
      readonly allowPositionals: true
      readonly options: Named
    }>
  >,
  'values' | 'positionals'
>

/** A command as its help tells it, and as its arguments are read. */
export interface CommandLine {
  /** What follows the program's name, one line a way: `search verify --sample N | --all`. */
  readonly usage: readonly string[]
  /** One sentence without its full stop. */
  readonly summary: string
  /** Whose settings it reads; absent where its arguments say, or where it reads none. */
  readonly role?: Role
  /** The help names each, with what it means. */
  readonly options: Readonly<Record<string, Options[string] & { readonly help: string }>>
}

/**
 * The options and the other arguments. Throws an `OperatorError` of exit code 2 that names what is unknown or lacks
 * its value, and says how the command is used.
 */
export function readCommandLine<const Named extends Options>(
  line: CommandLine & { readonly options: Named },
  args: readonly string[],
): Arguments<Named> {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: line.options })
  } catch (error) {
    // The first sentence says what is wrong; the rest tells how to pass a dash on, which no command takes.
    const [problem = ''] = asError(error).message.split('. ')
    throw misused(line, problem.replace(/^(Unknown option '[^']*').*/s, '$1'))
  }
}

/** The error of exit code 2 for arguments that are wrong. */
export function misused({ usage }: CommandLine, problem: string): OperatorError {
  return new OperatorError(`${problem}; usage: ${usage.join(' | ')}`, 2)
}

/** Throws where there are more arguments than options. */
export function refuseOperands(line: CommandLine, operands: readonly string[]): void {
  if (operands.length > 0) throw misused(line, `"${operands.join(' ')}" is one argument too many`)
}

/** Prints what `--help` or `--version` asks for; false where neither is there. */
export function answersHelp(line: CommandLine, args: readonly string[]): boolean {
  const asked = args.find((arg) => ['--help', '-h', '--version'].includes(arg))
  if (asked === undefined) return false
  console.log(asked === '--version' ? `sns ${VERSION}` : helpOf(line))
  return true
}

/** The command, which also answers `--help` and `--version`. */
export function withHelp(line: CommandLine, command: Command): Command {
  return async (context) => {
    if (!answersHelp(line, context.args)) await command(context)
  }
}

function helpOf({ usage, summary, options }: CommandLine): string {
  const named = Object.entries(options).map(
    ([name, { type, help }]) =>
      [type === 'string' ? `--${name} VALUE` : `--${name}`, help] as const,
  )
  const all = [...named, ['--help', 'prints this'], ['--version', 'prints the version']] as const
  const width = Math.max(...all.map(([name]) => name.length))
  return [
    `${summary}.`,
    '',
    ...usage.map((way, n) => `${n === 0 ? 'usage: ' : '       '}${way}`),
    '',
    ...all.map(([name, help]) => `  ${name.padEnd(width)}  ${help}`),
  ].join('\n')
}
