import pino from 'pino'
import type { LogLevel } from '../config/settings'

export type Logger = pino.Logger

/** Structured JSON lines on stdout. `service` names the program in every line. */
export function createLogger(service: string, level: LogLevel): Logger {
  return pino({ level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime })
}
