import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { CompressionCodecs, CompressionTypes, type LogEntry, logLevel } from 'kafkajs'
import RequestQueue from 'kafkajs/src/network/requestQueue'
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

/**
 * kafkajs 2.2.4 sets a timer after every answer, also with nothing to do, for a time that has passed:
 * each connection then wakes a thousand times a second for ever (6 % of a core for one idle consumer,
 * 1.3 % without) and the runtime warns of the negative time. Set it only while requests wait.
 */
export function quietRequestQueueTimer(): void {
  if (patched) return
  patched = true
  const schedule = RequestQueue.prototype.scheduleCheckPendingRequests
  RequestQueue.prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0) schedule.call(this)
  }
}

let patched = false

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** The fastest: envelopes repeat their column names, so it already shrinks them to about a fifth. */
const LEVEL = 1

/** Teaches kafkajs zstd, for what we write and for what others (Debezium) may have written. */
export function registerZstdCodec(): void {
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: (encoder: { readonly buffer: Buffer }) =>
      compress(encoder.buffer, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } }),
    decompress: (buffer: Buffer) => decompress(buffer),
  })
}
