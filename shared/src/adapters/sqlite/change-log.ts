import { backoffMs } from '../../async/retry'
import { sleep, yieldToEventLoop } from '../../async/sleep'
import type { Clock } from '../../domain/clock'
import type { CapturedTable } from '../../events/tables'
import type { ChangeLog, ConsumeOptions } from '../../ports/change-log'
import { DELIVERY_BACKOFF, deliver, STOP_GRACE_MS } from '../change-delivery'
import {
  addGroups,
  countLog,
  finishedBy,
  logBounds,
  pruneLog,
  readLog,
  saveFinished,
} from './change-log-table'
import type { SqliteDatabase } from './database'

export interface SqliteChangeLogDeps {
  readonly database: Pick<SqliteDatabase, 'db' | 'onCommit'>
  readonly clock: Clock
}

export interface SqliteChangeLogOptions {
  /** How often to look without having been told of a commit: other processes write too. */
  readonly pollMs?: number
  /** Finished rows are kept this long, for groups that are yet to come. */
  readonly retainMs?: number
}

/** The log has one partition. */
const LOG = 'change_log'
const PRUNE_EVERY_MS = 60_000
const SAVE_EVERY_MS = 200
/** A position that moved over other tables' rows only is saved after this many of them. */
const SAVE_EVERY_ROWS = 1_000
const HOUR_MS = 60 * 60 * 1000

/** The groups of a database that have a consumer; further consumers of a group wait. */
const active = new WeakMap<SqliteDatabase['db'], Map<string, Promise<void>>>()

/**
 * The embedded log: rows that triggers write in the transaction of the change. One consumer of a group
 * works at a time and sees all its changes in commit order; further ones in the process wait to take
 * over. Several processes on one file must not consume for the same group: the suite holds the
 * database for one process.
 */
export function createSqliteChangeLog(
  deps: SqliteChangeLogDeps,
  { pollMs = 1_000, retainMs = HOUR_MS }: SqliteChangeLogOptions = {},
): ChangeLog {
  const { db } = deps.database
  return {
    async consume(consumer) {
      const release = await takeGroup(db, consumer.group, consumer.signal)
      if (!release) return
      consumer.onMembership?.(true)
      try {
        await runConsumer(deps, consumer, { pollMs, retainMs })
      } finally {
        release()
      }
    },
    async backlog(group, tables) {
      return countLog(db, await finishedBy(db, group), tables)
    },
    async end() {
      const { last } = await logBounds(db)
      return new Map(last === 0 ? [] : [[LOG, last]])
    },
    async hasFinished(group, tables, end) {
      const upTo = end.get(LOG) ?? 0
      return (await countLog(db, await finishedBy(db, group), tables, upTo)) === 0
    },
  }
}

async function runConsumer<T extends CapturedTable>(
  { database: { db, onCommit }, clock }: SqliteChangeLogDeps,
  consumer: ConsumeOptions<T>,
  { pollMs, retainMs }: Required<SqliteChangeLogOptions>,
): Promise<void> {
  const { group, tables, maxBatch, signal } = consumer
  using bell = createBell(onCommit)
  using grace = abortAfter(signal, STOP_GRACE_MS)
  let position = null as GroupPosition | null
  let prunedAt = clock.now()

  /** One look at the log and what follows from it; true if there is more to do at once. */
  async function step(): Promise<boolean> {
    position ??= await openGroupPosition(db, group, clock)
    const { events, unreadable, upTo, isMore } = await readLog(db, position.seq, tables, maxBatch)
    if (events.length > 0 && !(await deliver(events, consumer, grace.signal))) return false
    for (const reason of unreadable) consumer.onPutAside?.(reason)
    position.advance(upTo, events.length + unreadable.length > 0)
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

/** A group's place in the log: ahead of what is saved only by what it has finished. */
interface GroupPosition {
  readonly seq: number
  /** The group has finished everything up to `seq`; `hasEvents` if any of that was for it. */
  advance(seq: number, hasEvents: boolean): void
  /** Saves now and then while there is more to do, and at once when there is not. */
  saveIfDue(isMore: boolean): Promise<void>
  save(): Promise<void>
}

/** Registers the group, so that what it has yet to read is kept. */
async function openGroupPosition(
  db: SqliteDatabase['db'],
  group: string,
  clock: Clock,
): Promise<GroupPosition> {
  await addGroups(db, [group])
  let seq = await finishedBy(db, group)
  let saved = seq
  let savedAt = clock.now()
  let isEventUnsaved = false

  async function save(): Promise<void> {
    if (seq === saved) return
    const finished = seq
    await saveFinished(db, group, finished)
    saved = finished
    savedAt = clock.now()
    isEventUnsaved = false
  }

  return {
    get seq() {
      return seq
    },
    advance(to, hasEvents) {
      seq = to
      isEventUnsaved ||= hasEvents
    },
    async saveIfDue(isMore) {
      const isDue = isMore ? Math.abs(clock.now() - savedAt) >= SAVE_EVERY_MS : isEventUnsaved
      if (isDue || seq - saved >= SAVE_EVERY_ROWS) await save()
    },
    save,
  }
}

/** Until the bell rings, the signal aborts or the time is over. */
async function rest(rung: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  const woken = new AbortController()
  await Promise.race([rung, sleep(ms, signal, woken.signal)])
  woken.abort()
}

/** Tells one waiter of the next commit. */
function createBell(onCommit: SqliteDatabase['onCommit']) {
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

/** Waits until nobody consumes for the group; returns how to release it, or null if the signal aborts first. */
async function takeGroup(db: SqliteDatabase['db'], group: string, signal: AbortSignal) {
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
