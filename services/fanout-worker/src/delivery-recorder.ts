import { repeatEvery } from '@sns/shared/async/sleep'
import type { Clock } from '@sns/shared/domain/clock'
import type { Logger } from '@sns/shared/observability/logger'
import type { ChangeLog, LogEnd } from '@sns/shared/ports/change-log'
import { type DeliveryProgress, waitingFloor } from '@sns/shared/ports/delivery-progress'

export interface DeliveryRecorderDeps {
  readonly changeLog: Pick<ChangeLog, 'end' | 'hasFinished'>
  readonly deliveryProgress: DeliveryProgress
  readonly clock: Clock
  readonly logger: Pick<Logger, 'debug'>
}

export interface DeliveryRecorderOptions {
  /** The consumer group that fans out. */
  readonly group: string
  readonly everyMs?: number
}

/** Where the log ended when everything committed before `capturedAt` was in it. */
interface Mark {
  readonly capturedAt: number
  readonly end: LogEnd
}

const TABLES = ['posts'] as const

/**
 * Records up to when posts are delivered: whatever was committed before a time that capture had passed, once the group
 * has finished the log as it was then, whichever workers share it. While no post waits it reads two rows and writes none.
 */
export function createDeliveryRecorder(
  { changeLog, deliveryProgress: progress, clock, logger }: DeliveryRecorderDeps,
  { group, everyMs = 1_000 }: DeliveryRecorderOptions,
) {
  let mark: Mark | null = null

  async function setMark(): Promise<Mark | null> {
    const now = clock.now()
    const captured = await progress.captured()
    const end = await changeLog.end(TABLES)
    // Changes without a capture of ours: another program publishes, and how far it has come is not known.
    const capturedAt = captured ?? (end.size > 0 ? now : null)
    return capturedAt === null ? null : { capturedAt, end }
  }

  /** True where everything up to the mark is delivered. */
  async function recordMark(): Promise<boolean> {
    mark ??= await setMark()
    if (!mark || !(await hasFinished(mark))) return false
    await progress.record(mark.capturedAt)
    mark = null
    return true
  }

  /** A mark that the log no longer knows is set anew: other topics have taken the place of those that it names. */
  async function hasFinished({ end }: Mark): Promise<boolean> {
    try {
      return await changeLog.hasFinished(group, TABLES, end)
    } catch (error) {
      mark = null
      throw error
    }
  }

  async function step(): Promise<void> {
    const floor = waitingFloor(await progress.delivered())
    if ((await progress.oldestFrom(floor)) === null) {
      mark = null
      return
    }
    const isOld = mark !== null
    if ((await recordMark()) && isOld) await recordMark()
  }

  return {
    name: 'delivery-recorder',
    step,
    run: (signal: AbortSignal): Promise<void> =>
      repeatEvery(step, {
        intervalMs: everyMs,
        signal,
        onError: (err) => logger.debug({ err }, 'delivery progress could not be recorded'),
      }),
  }
}
