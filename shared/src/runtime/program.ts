import { isDiskFull } from '../errors/disk-full'
import { OperatorError } from '../errors/operator-error'
import { StoreHalted } from '../errors/store-halted'
import { createLogger } from '../observability/logger'

export interface CommandContext {
  /** What follows the command's name on the command line. */
  readonly args: readonly string[]
  /**
   * Aborts when the process is asked to stop; the command then finishes what it must and resolves. Its reason
   * is the name of the signal that asked.
   */
  readonly signal: AbortSignal
  /**
   * For what serves others, and must finish what it was asked: lets stopping take this much longer than `drainMs`.
   * A command that does not ask for it is ended a second after the signal.
   */
  readonly extendDrain: (milliseconds: number) => void
  /**
   * Runs work that leaves nothing half done wherever it is cut off. Until it is done, a signal ends the process at
   * once: even while SQLite keeps JavaScript from running, so that nothing here could hear of it.
   */
  readonly cutOffBySignals: <T>(work: () => T | Promise<T>) => Promise<T>
}

export type Command = (context: CommandContext) => Promise<void>

/**
 * `bun run` hands on a Ctrl-C that the terminal has already sent to the whole foreground group; that
 * echo, a millisecond later, is not a person asking twice.
 */
const ECHO_MS = 500

/** What a command that serves nobody gets to stop where it likes to. */
const STOP_MS = 1_000
const DRAIN_MS = 15_000

export interface ProgramOptions {
  readonly args: readonly string[]
  /** How long a command that serves may take to stop once it was asked to. */
  readonly drainMs?: number
}

/**
 * Runs a command as the whole of this process and ends the process: 0 when it resolves, an
 * `OperatorError`'s exit code after its one line on stderr, 1 after logging anything unexpected.
 * SIGTERM and SIGINT ask it to stop; another one, once `ECHO_MS` have passed, ends the process at once. A command that
 * was asked and does not stop ends with 130 or 143, as a shell says it, after a line on stderr.
 */
export async function runProgram(
  name: string,
  command: Command,
  { args, drainMs }: ProgramOptions,
): Promise<never> {
  const stop = new AbortController()

  let askedAt: number | null = null
  /** Null: it serves nobody. */
  let allowedMs = drainMs ?? null

  function onSignal(signal: NodeJS.Signals): void {
    if (askedAt !== null) {
      if (performance.now() - askedAt < ECHO_MS) return
      process.exit(exitCodeOf(signal))
    }
    askedAt = performance.now()
    stop.abort(signal)
    setTimeout(() => exitWith(name, tooLate(signal)), allowedMs ?? STOP_MS).unref()
  }

  function tooLate(signal: NodeJS.Signals): OperatorError {
    return allowedMs === null
      ? stopped(name, signal)
      : new OperatorError(`${name} did not stop within ${allowedMs / 1_000} s; ended it`)
  }

  function onError(error: unknown): never {
    // What was under way fails when its signal aborts, in whatever words.
    const isStopped = stop.signal.aborted && allowedMs === null
    const isSaid = error instanceof OperatorError && error.exitCode === exitCodeOf('SIGINT')
    exitWith(name, isStopped && !isSaid ? stopped(name, stop.signal.reason) : error)
  }

  function listen(): void {
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  }
  listen()
  process.on('uncaughtException', onError)
  process.on('unhandledRejection', onError)

  try {
    await command({
      args,
      signal: stop.signal,
      extendDrain(milliseconds) {
        allowedMs = (drainMs ?? DRAIN_MS) + milliseconds
      },
      async cutOffBySignals(work) {
        process.off('SIGTERM', onSignal)
        process.off('SIGINT', onSignal)
        try {
          return await work()
        } finally {
          listen()
        }
      },
    })
  } catch (error) {
    onError(error)
  }
  process.exit(0)
}

function stopped(name: string, signal: NodeJS.Signals): OperatorError {
  return new OperatorError(
    `${name} was stopped; what it had done stays, and it may be run again`,
    exitCodeOf(signal),
  )
}

/** As a shell says that a signal ended a program. */
function exitCodeOf(signal: NodeJS.Signals): number {
  return signal === 'SIGINT' ? 130 : 143
}

function exitWith(name: string, error: unknown): never {
  if (error instanceof OperatorError) {
    process.stderr.write(`sns: ${oneLine(error.message)}\n`)
    process.exit(error.exitCode)
  }
  if (error instanceof StoreHalted) {
    process.stderr.write(`sns: ${oneLine(error.message)}\n`)
    process.exit(1)
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
