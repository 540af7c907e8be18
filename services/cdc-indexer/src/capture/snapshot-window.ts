import { type ChangeEnvelope, changeKey, epochOf, type Row } from '@sns/shared/events/change-event'
import type { EncodedChange } from '@sns/shared/events/change-record'
import { includes } from '@sns/shared/events/gtid'
import type { CapturedTable } from '@sns/shared/events/tables'
import type { BinlogItem, BinlogSink } from './ports/binlog-source'

/** Rows that were read between two moments of the stream, and where they go into it. */
export interface SnapshotWindow extends BinlogSink {
  /**
   * Notes from now on which rows of the table change. Returns the last transaction that came before: once its
   * changes are visible, rows may be read. Null where none came yet.
   */
  open(table: CapturedTable): string | null
  /**
   * Puts the rows that did not change meanwhile into the stream, once it has passed the transaction `mark`. Resolves once they are acknowledged; false, and none was put, where
   * more rows changed than it can note: read again.
   */
  close(rows: readonly Row[], mark: string): Promise<boolean>
  /** Forgets what was noted. */
  cancel(): void
  /** These changes are acknowledged. */
  acknowledge(changes: readonly EncodedChange[]): void
  /** `close` rejects with `error`, now or when it is called. */
  abandon(error: Error): void
}

export interface SnapshotWindowOptions {
  readonly database: string
  /** The most changed rows that are noted while rows are read. */
  readonly maxNoted?: number
}

type Commit = Extract<BinlogItem, { kind: 'commit' }>

interface OpenWindow {
  readonly table: CapturedTable
  /** Changed since it opened; null: too many to note. */
  noted: Set<string> | null
  chunk: Chunk | null
}

type ClosedWindow = Pick<OpenWindow, 'table'> & { readonly chunk: Chunk }

interface Chunk {
  readonly rows: Map<string, Row>
  readonly mark: string
  readonly done: PromiseWithResolvers<boolean>
  /** Put into the stream and not acknowledged. */
  pending: number
}

const MAX_NOTED = 100_000

/**
 * The watermarks of Netflix's DBLog (Andreakis and Papapanagiotou, 2019), with GTIDs: the low one is
 * where the stream is when the window opens, the high one a transaction that commits after the rows were
 * read. Whatever changed a row in between, also unseen by that reading, is in the stream between the two; so a row
 * that nothing there touched is, at the high one, as it was read.
 *
 * It carries the sequence of the transaction that the stream has passed last, so its version is above those of all changes before it of its row, and
 * below those of all that follow.
 */
export function createSnapshotWindow(
  sink: BinlogSink,
  { database, maxNoted = MAX_NOTED }: SnapshotWindowOptions,
): SnapshotWindow {
  let lastSeen: string | null = null
  let lastCommit: Commit | null = null
  let window: OpenWindow | null = null
  let pending: Chunk | null = null
  let failure: Error | null = null

  function note(event: ChangeEnvelope) {
    if (!window || event.source.table !== window.table) return
    const row = event.after ?? event.before
    if (!row) return
    const key = changeKey(window.table, row)
    window.chunk?.rows.delete(key)
    if (window.chunk) return
    window.noted?.add(key)
    if (window.noted && window.noted.size > maxNoted) window.noted = null
  }

  /** Adds the rows of the chunk behind the commit; like `add`, a promise where the sink is full. */
  function put(commit: Commit, { table, chunk }: ClosedWindow): Promise<void> | null {
    window = null
    chunk.pending = chunk.rows.size
    if (chunk.pending === 0) chunk.done.resolve(true)
    else pending = chunk
    const { file, pos, last } = commit.position()
    const committedAt = Math.floor((last?.committedAt ?? 0) / 1_000)
    let room: Promise<void> | null = null
    let index = 0
    for (const after of chunk.rows.values()) {
      const event: ChangeEnvelope = {
        before: null,
        after,
        source: {
          connector: 'mysql',
          db: database,
          table,
          ts_ms: committedAt,
          gtid: commit.gtid,
          file,
          pos,
          row: index,
          snapshot: 'true',
          epoch: epochOf(commit.sequence),
          sequence: commit.sequence,
        },
        op: 'r',
        ts_ms: committedAt,
        transaction: null,
      }
      index += 1
      room = sink.add({ kind: 'change', event })
    }
    return room
  }

  return {
    open(table) {
      window = { table, noted: new Set(), chunk: null }
      return lastSeen
    },

    close(rows, mark) {
      if (failure) return Promise.reject(failure)
      if (!window?.noted) {
        window = null
        return Promise.resolve(false)
      }
      const { table, noted } = window
      const untouched = rows
        .map((row) => [changeKey(table, row), row] as const)
        .filter(([key]) => !noted.has(key))
      const done = Promise.withResolvers<boolean>()
      const chunk = { rows: new Map(untouched), mark, done, pending: 0 }
      window.chunk = chunk
      if (lastCommit && includes(lastCommit.position().gtidSet, mark)) {
        put(lastCommit, { table, chunk })
      }
      return done.promise
    },

    cancel() {
      window = null
    },

    add(item) {
      const room = sink.add(item)
      if (item.kind === 'change') {
        lastSeen = item.event.source.gtid
        note(item.event)
        return room
      }
      lastSeen = item.gtid
      lastCommit = item
      if (window?.chunk?.mark !== item.gtid) return room
      return put(item, { table: window.table, chunk: window.chunk }) ?? room
    },

    acknowledge(changes) {
      if (!pending) return
      for (const { op } of changes) if (op === 'r') pending.pending -= 1
      if (pending.pending > 0) return
      pending.done.resolve(true)
      pending = null
    },

    abandon(error) {
      failure = error
      window?.chunk?.done.reject(error)
      pending?.done.reject(error)
      window = pending = null
    },
  }
}
