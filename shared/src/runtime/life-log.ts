import { type MonotonicTime, monotonicTime } from '../async/sleep'
import type { Logger } from '../observability/logger'
import type { Readiness } from './readiness'

export interface LifeLogDeps {
  readonly name: string
  readonly logger: Pick<Logger, 'info' | 'warn'>
  readonly readiness: () => Promise<Readiness>
  readonly time?: MonotonicTime
}

/** A service that lacks something is looked at this often, another seldom: each look asks every store. */
const WAITING_MS = 1_000
const READY_MS = 10_000

/**
 * Logs what becomes of a service until the signal aborts: for which stores it waits, once for each that it
 * begins or ceases to wait for, and when it is ready, and which stores it then works without. That is said where it is
 * still so at the second look: consumers that have just begun are not there at the first.
 */
export async function logLife(
  { name, logger, readiness, time = monotonicTime }: LifeLogDeps,
  signal: AbortSignal,
): Promise<void> {
  let [said, seen] = ['', '']
  while (!signal.aborted) {
    const { ready, stores, reasons } = await readiness()
    if (signal.aborted) return
    const missing = Object.keys(stores).filter((store) => stores[store] !== 'ok')
    const list = missing.join(', ')
    const now = `${ready} ${list}`
    const isPassing = ready && list !== '' && now !== seen
    seen = now
    if (now !== said && !isPassing) {
      said = now
      if (!ready) logger.warn({ missing, reasons }, `${name} waits for ${list}`)
      else if (list === '') logger.info(`${name} is ready`)
      else logger.warn({ missing, reasons }, `${name} is ready, without ${list}`)
    }
    await time.sleep(ready && list === '' ? READY_MS : WAITING_MS, signal)
  }
}
