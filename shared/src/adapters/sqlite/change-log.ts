import { backoffMs } from '../../async/retry'
import { sleep, yieldToEventLoop } from '../../async/sleep'
import { type Clock, systemClock } from '../../domain/clock'
import type { CapturedTable } from '../../events/tables'
import type { ChangeLog, ConsumeOptions } from '../../ports/change-log'
import { DELIVERY_BACKOFF, deliver, STOP_GRACE_MS } from '../change-delivery'
import { finishedBy, type GroupPosition, openGroupPosition } from './change-log-position'
import { pruneLog } from './change-log-retention'
import { countLog, readLog } from './change-log-rows'
import type { SqliteDatabase } from './database'

export interface SqliteChangeLogOptions {
  readonly clock?: Clock
  /** How often to look without having been told of a commit: other processes write too. */
  readonly pollMs?: number
  /** Finished rows are kept this long, for groups that are yet to come. */
  readonly retainMs?: number
}

const PRUNE_EVERY_MS = 60_000
const HOUR_MS = 60 * 60 * 1000

type Database = Pick<SqliteDatabase, 'db' | 'onCommit'>

/** Who is consuming for a group of a database; others of the group stand by. */
const active = new WeakMap<Database['db'], Map<string, Promise<void>>>()

/**
 * The embedded log: rows that triggers write in the transaction of the change. One consumer of a group
 * works at a time and sees all its changes in commit order; further ones in the process wait to take
 * over. Several processes on one file must not consume for the same group: the suite holds the
 * database for one process.
 */
export function createSqliteChangeLog(
  database: Database,
  options: SqliteChangeLogOptions = {},
): ChangeLog {
  const settings = { clock: systemClock, pollMs: 1_000, retainMs: HOUR_MS, ...options }
  return {
    async consume(consumer) {
      const release = await takeGroup(database.db, consumer.group, consumer.signal)
      if (!release) return
      consumer.onMembership?.(true)
      try {
        await runConsumer(database, consumer, settings)
      } finally {
        release()
      }
    },
    async backlog(group, tables) {
      return countLog(database.db, await finishedBy(database.db, group), tables)
    },
  }
}

async function runConsumer<T extends CapturedTable>(
  { db, onCommit }: Database,
  consumer: ConsumeOptions<T>,
  { clock, pollMs, retainMs }: Required<SqliteChangeLogOptions>,
): Promise<void> {
  const { group, tables, maxBatch, signal } = consumer
  using bell = createBell(onCommit)
  using grace = abortAfter(signal, STOP_GRACE_MS)
  let position = null as GroupPosition | null
  let prunedAt = clock.now()

  /** One look at the log and what follows from it; true if there is more to do at once. */
  async function step(): Promise<boolean> {
    position ??= await openGroupPosition(db, group, clock)
    const { events, upTo, isMore } = await readLog(db, position.seq, tables, maxBatch)
    if (events.length > 0 && !(await deliver(events, consumer, grace.signal))) return false
    position.advance(upTo, events.length > 0)
    await position.saveIfDue(isMore)
    const now = clock.now()
    // A clock that was set back must not stop it either.
    if (Math.abs(now - prunedAt) >= PRUNE_EVERY_MS) {
      if (!(await pruneLog(db, { now, before: now - retainMs }))) prunedAt = now
    }
    return isMore
  }

  let failingSince: number | null = null
  for (let failures = 0; !signal.aborted; ) {
    const rung = bell.next()
    try {
      const isMore = await step()
      failures = 0
      failingSince = null
      await (isMore ? yieldToEventLoop() : rest(rung, pollMs, signal))
    } catch (error) {
      failingSince ??= performance.now()
      consumer.onRetry?.(error, ++failures, performance.now() - failingSince)
      await sleep(backoffMs(failures, DELIVERY_BACKOFF), signal)
    }
  }
  await position?.save()
}

/** Until the bell rings, the signal aborts or the time is over. */
async function rest(rung: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  const woken = new AbortController()
  await Promise.race([rung, sleep(ms, signal, woken.signal)])
  woken.abort()
}

/** Tells one waiter of the next commit. */
function createBell(onCommit: Database['onCommit']) {
  let ring = () => {}
  const release = onCommit(() => ring())
  return {
    next: () =>
      new Promise<void>((resolve) => {
        ring = resolve
      }),
    [Symbol.dispose]: release,
  }
}

/** A signal that aborts some time after another has. */
function abortAfter(signal: AbortSignal, ms: number) {
  const late = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const start = () => {
    timer = setTimeout(() => late.abort(new Error('stopping')), ms)
  }
  signal.addEventListener('abort', start, { once: true })
  return {
    signal: late.signal,
    [Symbol.dispose]() {
      signal.removeEventListener('abort', start)
      clearTimeout(timer)
    },
  }
}

/** The way to give the group back; null where the signal aborted first. */
async function takeGroup(db: Database['db'], group: string, signal: AbortSignal) {
  const groups = active.get(db) ?? new Map<string, Promise<void>>()
  active.set(db, groups)
  for (let held = groups.get(group); held; held = groups.get(group)) {
    await rest(held, 2 ** 31 - 1, signal)
    if (signal.aborted) return null
  }
  const { promise, resolve } = Promise.withResolvers<void>()
  groups.set(group, promise)
  return () => {
    groups.delete(group)
    resolve()
  }
}
