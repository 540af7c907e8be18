import pino from 'pino'
import type { LogLevel } from '../config/settings'
import { loggedError } from './logged-error'

export type Logger = pino.Logger

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
