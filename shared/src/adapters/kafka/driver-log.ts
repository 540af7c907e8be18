import { type LogEntry, logLevel } from 'kafkajs'
import { LRUCache } from 'lru-cache'
import type { Logger } from '../../observability/logger'

/** While a broker is away, kafkajs says the same several times a second. */
const REPEAT_AFTER_MS = 30_000
const MOST_REMEMBERED = 100

/**
 * Writes what kafkajs logs, each message once in a while and one step quieter than kafkajs means it:
 * what fails for good is logged by whoever gave up.
 */
export function createDriverLog(
  logger: Logger,
  now: () => number = () => performance.now(),
): (entry: LogEntry) => void {
  const writtenAt = new LRUCache<string, number>({ max: MOST_REMEMBERED })

  return ({ namespace, level, log }) => {
    const { message, timestamp: _, stack: __, ...fields } = log
    const key = `${namespace} ${message}`
    const before = writtenAt.get(key)
    if (before !== undefined && now() - before < REPEAT_AFTER_MS) return
    writtenAt.set(key, now())
    const write = level === logLevel.ERROR ? 'warn' : level === logLevel.WARN ? 'info' : 'debug'
    logger[write]({ ...fields, namespace }, `kafkajs: ${message}`)
  }
}
