import { sleep } from '@sns/shared/async/sleep'
import { OperatorError } from '@sns/shared/errors/operator-error'
import {
  EPOCH_SEQUENCES,
  epochOf,
  type LogPlace,
  MAX_SEQUENCE,
  SEQUENCE_LEAP,
} from '@sns/shared/events/change-event'
import { rangesOf } from '@sns/shared/events/gtid'
import { CAPTURED_TABLES, type CapturedTable, isCapturedTable } from '@sns/shared/events/tables'
import type { SourceEpochs } from '../ports/binlog-source'
import { sequenceAfter } from '../source-epochs'
import { CHECKPOINT_NAME, loadCheckpoint, lockName, readHead } from './checkpoint-store'
import { toCaptureError } from './errors'
import { createMysqlSession, type MysqlServer, numberCell, textCell } from './session'

/**
 * `running` until capture has published every row, then `published`; `done` once the index is swept too; `unread` where
 * capture stopped at a change of the table's rows that it cannot read, until it is asked for again.
 */
export type SnapshotState = 'unread' | 'running' | 'stopped' | 'failed' | 'published' | 'done'

export interface SnapshotReport {
  readonly table: CapturedTable
  readonly request: number
  readonly state: SnapshotState
  /** Whether rows changed that capture could not read: what the index has of them comes from before. */
  readonly isRepair: boolean
  readonly rows: number
  /** About how many rows there are. */
  readonly of: number
  /** Why it failed. */
  readonly problem: string | null
}

/**
 * What operators ask of capture, in the table `capture_snapshots`. Errors: `store_unavailable`; `OperatorError`
 * where `migrate` has not run.
 */
export interface SnapshotRequests extends AsyncDisposable {
  /**
   * Asks for the rows of the tables. One that runs goes on, one that was stopped or failed goes on where it was; capture
   * passes what it stopped at. Returns whether there was such a thing.
   */
  ask(tables: readonly CapturedTable[]): Promise<boolean>
  /** Whether capture has passed all that the snapshots of the tables stand for. */
  isPast(tables: readonly CapturedTable[]): Promise<boolean>
  /** All that were ever asked for, one a table. */
  reports(): Promise<readonly SnapshotReport[]>
  /** Those that run stop behind the chunk in hand. Returns how many. */
  stop(): Promise<number>
  /** The index has been swept after the snapshot. */
  finish(report: SnapshotReport): Promise<void>
  /** Whether a capture is there that will do it. */
  isCaptured(): Promise<boolean>
  /**
   * The last transaction of the database: what is read later has all up to it, and what is written later has a higher
   * sequence. Waits for capture where another server has begun to write since it saved.
   */
  head(): Promise<LogPlace>
  /**
   * Puts the checkpoint where the binlog ends now, with sequences above all that were given, of at least this epoch, and
   * asks for all rows. Returns the epoch. Throws an `OperatorError` while a capture runs.
   */
  goOnFromHere(tables: readonly CapturedTable[], epoch: number): Promise<number>
}

/** The highest that a document's version has room for. */
export const MAX_EPOCH = epochOf(MAX_SEQUENCE)
/** Capture saves at the latest every half minute. */
const HEAD_MS = 60_000
const HEAD_LOOK_MS = 500
/** A capture that a supervisor starts again and again holds the lock for moments. */
const LOCK_SECONDS = 10
const ASK_TIMEOUT_MS = 30_000

export function createSnapshotRequests(server: MysqlServer): SnapshotRequests {
  const session = createMysqlSession(server, { timeoutMs: ASK_TIMEOUT_MS })
  const lock = lockName(server.database)

  async function attempt<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work()
    } catch (error) {
      throw toCaptureError(error)
    }
  }

  /** By the server's own estimate: counting takes as long as reading. */
  async function estimate(table: CapturedTable): Promise<number> {
    const [row] = await session.query(
      'SELECT table_rows AS n FROM information_schema.tables WHERE table_schema = ? AND table_name = ?',
      [server.database, table],
    )
    return numberCell(row, 'n')
  }

  async function lastKey(table: CapturedTable): Promise<readonly number[] | null> {
    const { key } = CAPTURED_TABLES[table]
    const order = key.map((column) => `${column} DESC`).join(', ')
    const [row] = await session.query(
      `SELECT ${key.join(', ')} FROM ${table} ORDER BY ${order} LIMIT 1`,
    )
    return row ? key.map((column) => numberCell(row, column)) : null
  }

  async function unread(tables: readonly CapturedTable[]): Promise<ReadonlySet<string>> {
    const rows = await session.query(
      "SELECT table_name FROM capture_snapshots WHERE state = 'unread'",
    )
    const names = rows.map((row) => textCell(row, 'table_name'))
    return new Set(tables.filter((table) => names.includes(table)))
  }

  /** Those of `anew` begin at the first row, and stand for all that was committed before. */
  async function ask(
    tables: readonly CapturedTable[],
    anew: ReadonlySet<string>,
    covers: string | null,
  ): Promise<void> {
    await session.query('SET SESSION information_schema_stats_expiry = 0')
    const now = Date.now()
    for (const table of tables) {
      const isAnew = anew.has(table)
      const end = await lastKey(table)
      await session.update(
        `INSERT INTO capture_snapshots
         (table_name, request, state, after_key, end_key, done_rows, total_rows, marks, problem, updated_at)
         VALUES (?, ?, 'done', NULL, NULL, 0, 0, 0, NULL, ?)
         ON DUPLICATE KEY UPDATE table_name = table_name`,
        [table, now, now],
      )
      if (!isAnew) {
        const resumed = await session.update(
          `UPDATE capture_snapshots SET state = 'running', problem = NULL, updated_at = ?
           WHERE table_name = ? AND state IN ('stopped', 'failed')`,
          [now, table],
        )
        if (resumed > 0) continue
      }
      await session.update(
        `UPDATE capture_snapshots
         SET request = ?, state = ?, after_key = NULL, end_key = ?, done_rows = 0, total_rows = ?,
           problem = NULL, covers = ?, updated_at = ?
         WHERE table_name = ? ${isAnew ? '' : "AND state = 'done'"}`,
        [
          now,
          end ? 'running' : 'published',
          end && JSON.stringify(end),
          await estimate(table),
          isAnew ? covers : null,
          now,
          table,
        ],
      )
    }
  }

  async function moveCheckpoint(epoch: number): Promise<number> {
    const checkpoint = await loadCheckpoint(session)
    if (!checkpoint)
      throw new OperatorError('there is no capture checkpoint in the database; run migrate')
    const last = Math.max(checkpoint.epochs.last + SEQUENCE_LEAP, epoch * EPOCH_SEQUENCES)
    if (last > MAX_SEQUENCE - SEQUENCE_LEAP) {
      throw new OperatorError(
        `the epochs are used up (${MAX_EPOCH} is the highest): choose another KEY_PREFIX, so that topics and indexes begin anew`,
      )
    }
    // In this order: a row that is not seen when all are asked for is committed after this position.
    const { gtidSet, file, pos } = await readHead(session)
    await session.update(
      `UPDATE capture_checkpoint
       SET gtid_set = ?, last_gtid = NULL, last_committed_at = NULL, file = ?, pos = ?,
         server_id = @@GLOBAL.server_uuid, epoch = ?, epochs = ?, fence = fence + 1, updated_at = ?
       WHERE name = ?`,
      [
        gtidSet,
        file,
        pos,
        epochOf(last),
        JSON.stringify({ last, starts: {} } satisfies SourceEpochs),
        Date.now(),
        CHECKPOINT_NAME,
      ],
    )
    return epochOf(last)
  }

  /** Null where it cannot be told until capture has saved. */
  async function findHead(): Promise<LogPlace | null> {
    const checkpoint = await loadCheckpoint(session)
    if (!checkpoint)
      throw new OperatorError('there is no capture checkpoint in the database; run migrate')
    const [row] = await session.query('SELECT GTID_SUBTRACT(@@GLOBAL.gtid_executed, ?) AS unseen', [
      checkpoint.gtidSet,
    ])
    const sequence = sequenceAfter(checkpoint.epochs, rangesOf(textCell(row, 'unseen')))
    if (sequence === null) return null
    return { gtid: checkpoint.last?.gtid ?? '', epoch: epochOf(sequence), sequence }
  }

  return {
    ask: (tables) =>
      attempt(async () => {
        const anew = await unread(tables)
        // Before anything is looked at: what is committed later is in the log, or stops capture again.
        const { gtidSet } = await readHead(session)
        await ask(tables, anew, gtidSet)
        return anew.size > 0
      }),

    isPast: (tables) =>
      attempt(async () => {
        const rows = await session.query(
          `SELECT table_name FROM capture_snapshots JOIN capture_checkpoint ON name = ?
           WHERE covers IS NOT NULL AND NOT GTID_SUBSET(covers, gtid_set)`,
          [CHECKPOINT_NAME],
        )
        const behind = rows.map((row) => textCell(row, 'table_name'))
        return !tables.some((table) => behind.includes(table))
      }),

    reports: () =>
      attempt(async () => {
        const rows = await session.query(
          `SELECT table_name, request, state, done_rows, total_rows, problem, covers FROM capture_snapshots
           ORDER BY request, table_name`,
        )
        return rows.flatMap((row) => {
          const table = textCell(row, 'table_name')
          if (!isCapturedTable(table)) return []
          return {
            table,
            request: numberCell(row, 'request'),
            state: textCell(row, 'state') as SnapshotState,
            isRepair: row.covers !== null,
            rows: numberCell(row, 'done_rows'),
            of: numberCell(row, 'total_rows'),
            problem: row.problem === null ? null : textCell(row, 'problem'),
          }
        })
      }),

    stop: () =>
      attempt(() =>
        session.update(
          "UPDATE capture_snapshots SET state = 'stopped', updated_at = ? WHERE state = 'running'",
          [Date.now()],
        ),
      ),

    finish: ({ table, request }) =>
      attempt(async () => {
        await session.update(
          `UPDATE capture_snapshots SET state = 'done', updated_at = ?
           WHERE table_name = ? AND request = ? AND state = 'published'`,
          [Date.now(), table, request],
        )
      }),

    isCaptured: () =>
      attempt(async () => {
        const [row] = await session.query('SELECT IS_USED_LOCK(?) IS NOT NULL AS held', [lock])
        return row?.held === 1
      }),

    head: () =>
      attempt(async () => {
        const until = performance.now() + HEAD_MS
        for (;;) {
          const head = await findHead()
          if (head) return head
          if (performance.now() > until) {
            throw new OperatorError(
              'another MySQL server has become the primary, and capture has not followed yet: start cdc-indexer, and run it again',
            )
          }
          await sleep(HEAD_LOOK_MS)
        }
      }),

    goOnFromHere: (tables, epoch) =>
      attempt(async () => {
        const [row] = await session.query('SELECT GET_LOCK(?, ?) AS locked', [lock, LOCK_SECONDS])
        if (numberCell(row, 'locked') !== 1) {
          throw new OperatorError('a cdc-indexer captures: stop all of them first')
        }
        try {
          const next = await moveCheckpoint(epoch)
          await ask(tables, new Set(tables), null)
          return next
        } finally {
          await session.query('SELECT RELEASE_LOCK(?) AS released', [lock])
        }
      }),

    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}
