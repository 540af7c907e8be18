import { isDiskFull } from '../errors/disk-full'
import { OperatorError } from '../errors/operator-error'
import { createLogger } from '../observability/logger'

export interface CommandContext {
  /** What follows the command's name on the command line. */
  readonly args: readonly string[]
  /**
   * Aborts when the process is asked to stop; the command then finishes what it must and resolves. Its reason
   * is the name of the signal that asked.
   */
  readonly signal: AbortSignal
  /** Lets stopping take this much longer than usual. */
  readonly extendDrain: (milliseconds: number) => void
}

export type Command = (context: CommandContext) => Promise<void>

/**
 * `bun run` hands on a Ctrl-C that the terminal has already sent to the whole foreground group; that
 * echo, a millisecond later, is not a person asking twice.
 */
const ECHO_MS = 500

export interface ProgramOptions {
  readonly args: readonly string[]
  /** How long a command may take to stop once it was asked to. */
  readonly drainMs?: number
}

/**
 * Runs a command as the whole of this process and ends the process: 0 when it resolves, an
 * `OperatorError`'s exit code after its one line on stderr, 1 after logging anything unexpected.
 * SIGTERM and SIGINT ask it to stop; another one, once `ECHO_MS` have passed, ends the process at once.
 */
export async function runProgram(
  name: string,
  command: Command,
  { args, drainMs = 15_000 }: ProgramOptions,
): Promise<never> {
  const stop = new AbortController()

  let askedAt: number | null = null
  let allowedMs = drainMs

  function onSignal(signal: NodeJS.Signals): void {
    if (askedAt !== null) {
      if (performance.now() - askedAt < ECHO_MS) return
      process.exit(signal === 'SIGINT' ? 130 : 143)
    }
    askedAt = performance.now()
    stop.abort(signal)
    setTimeout(() => {
      exitWith(
        name,
        new OperatorError(`${name} did not stop within ${allowedMs / 1_000} s; ended it`),
      )
    }, allowedMs).unref()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.on('uncaughtException', (error) => exitWith(name, error))
  process.on('unhandledRejection', (error) => exitWith(name, error))

  try {
    await command({
      args,
      signal: stop.signal,
      extendDrain(milliseconds) {
        allowedMs = drainMs + milliseconds
      },
    })
  } catch (error) {
    exitWith(name, error)
  }
  process.exit(0)
}

function exitWith(name: string, error: unknown): never {
  if (error instanceof OperatorError) {
    process.stderr.write(`sns: ${oneLine(error.message)}\n`)
    process.exit(error.exitCode)
  }
  if (isDiskFull(error)) {
    process.stderr.write(
      `sns: the disk is full: make room where the data is, then run ${name} again; what was answered is kept\n`,
    )
    process.exit(1)
  }
  createLogger(name, 'fatal').fatal({ err: error }, 'stopped by an error nobody expected')
  process.exit(1)
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ')
}
