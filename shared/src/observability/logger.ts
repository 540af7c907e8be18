import pino from 'pino'
import type { LogLevel } from '../config/program-settings'
import { carriesValues, SAFE_PROPERTIES, stackWith, withoutQuoted } from '../errors/driver-error'

export type Logger = pino.Logger

/** How many causes are followed: more than any chain of ours has, and an end to a circle. */
const DEPTH = 6
const MOST_ERRORS = 5

/**
 * Structured JSON lines on stdout, or where `destination` says. `service` names the program in every
 * line. Errors are written without what drivers keep on them: what people wrote stays out of the log.
 */
export function createLogger(
  service: string,
  level: LogLevel,
  destination?: pino.DestinationStream,
): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: loggedError, error: loggedError },
    hooks: {
      // Without a message of its own, pino would give the line that of the error as it is.
      logMethod([first, ...rest], method) {
        const isAlone = rest.length === 0 && typeof first === 'object'
        method.apply(this, isAlone ? [first, ''] : [first, ...rest])
      },
    },
  }
  return destination ? pino(options, destination) : pino(options)
}

/**
 * An error as the log shows it: its type, message, stack and codes, and the same of what caused it.
 * Other properties stay out, since drivers keep statements with their values there, and so does what
 * the message of such an error quotes.
 */
function loggedError(thrown: unknown, depth = DEPTH): unknown {
  if (!(thrown instanceof Error)) return thrown
  const message = carriesValues(thrown) ? withoutQuoted(thrown.message) : thrown.message
  const logged: Record<string, unknown> = {
    type: thrown.constructor.name,
    message,
    stack: stackWith(thrown, message),
  }
  for (const property of SAFE_PROPERTIES) {
    const value: unknown = Reflect.get(thrown, property)
    if (typeof value !== 'object' && typeof value !== 'function') logged[property] = value
  }
  if (depth === 0) return logged
  if (thrown.cause instanceof Error) logged.cause = loggedError(thrown.cause, depth - 1)
  if (thrown instanceof AggregateError) {
    logged.errors = thrown.errors.slice(0, MOST_ERRORS).map((each) => loggedError(each, depth - 1))
  }
  return logged
}
