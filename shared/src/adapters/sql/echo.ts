import type { LogEvent } from 'kysely'
import type { Logger } from '../../observability/logger'

/** The Kysely option that logs every statement. Parameters stay out: they hold what people wrote. */
export function echoTo(logger: Pick<Logger, 'info'> | null): {
  log?: (event: LogEvent) => void
} {
  if (!logger) return {}
  return {
    log(event) {
      const ms = Math.round(event.queryDurationMillis * 1000) / 1000
      const failed = event.level === 'error'
      logger.info({ sql: event.query.sql, ms, failed }, 'sql')
    },
  }
}
