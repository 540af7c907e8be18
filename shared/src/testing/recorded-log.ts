import { createLogger, type Logger } from '../observability/logger'

/** A logger like the programs' own, at every level, whose lines are kept. */
export function recordedLog(): { readonly logger: Logger; text(): string } {
  const lines: string[] = []
  return {
    logger: createLogger('test', 'trace', { write: (line) => void lines.push(line) }),
    text: () => lines.join(''),
  }
}
