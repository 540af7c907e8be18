import { OperatorError } from '@sns/shared/errors/operator-error'
import type { CapturedTable } from '@sns/shared/events/tables'
import { GtidSet } from '@vlasky/zongji'
import { highestOf, isTagged, numberOf, sourceOf } from '../gtid'
import type { BinlogItem, BinlogPosition, LastTransaction } from '../ports/binlog-source'
import { MOVE_ON } from '../ports/checkpoint-store'
import { changeEvents, type RowImages, type TableLayout } from './binlog-rows'
import { readStatement, type Statement, type StatementContext } from './binlog-statement'
import { anotherHistory } from './errors'
import { NO_COVER, type SnapshotCover, UnreadTablesError } from './unread-tables'

export interface RowsEvent {
  readonly layout: TableLayout
  readonly rows: readonly RowImages[]
  /** Where the event starts in the file. */
  readonly pos: number
}

/** Binlog events of one stream, in order. Each call may throw an `OperatorError`. */
export interface TransactionReader {
  rotate(file: string): void
  /** A GTID event: what follows belongs to this transaction. `committedAt`: Unix microseconds. */
  begin(gtid: string, committedAt: number): void
  /** A Query event; `endPos` is where it ends in the file. */
  statement(sql: string, schema: string, endPos: number, context?: StatementContext): void
  rows(event: RowsEvent): void
  /** Rows of the table that cannot be read, and why: they are passed over where a snapshot stands for them. */
  unread(table: CapturedTable, why: string): void
  /** An Xid event. */
  commit(endPos: number): void
  /** The end of an XA prepare group: its changes may yet be rolled back. */
  prepared(endPos: number): void
}

export interface TransactionReaderDeps {
  readonly add: (item: BinlogItem) => void
}

export interface TransactionReaderOptions {
  /** Where to go on. The stream begins with `from.last`, where that is known. */
  readonly from: BinlogPosition
  readonly database: string
  /** What cannot be read and need not be, as a snapshot brings it. */
  readonly cover?: SnapshotCover
  readonly serverId: string
  readonly epoch: number
}

interface Transaction {
  readonly gtid: string
  readonly committedAt: number
  /** Handed over before: only its time is looked at. */
  readonly isKnown: boolean
  /** Captured events so far. */
  events: number
  isBegun: boolean
  isXa: boolean
}

/**
 * Puts binlog events together to changes and commits. A transaction's GTID joins the position only
 * when its end has been seen, so that a position never claims a change that was not handed over.
 */
export function createTransactionReader(
  { add }: TransactionReaderDeps,
  { from, database, serverId, epoch, cover = NO_COVER }: TransactionReaderOptions,
): TransactionReader {
  const executed = GtidSet.parse(from.gtidSet)
  let expected = from.last
  let last = from.last
  /** The highest number of a transaction of this server so far. */
  let highest = highestOf(from.gtidSet, serverId)
  let file = from.file
  let lastPos = from.pos
  let open: Transaction | null = null

  function end(endPos: number) {
    lastPos = endPos
    if (!open) return
    const { gtid, committedAt, isKnown } = open
    open = null
    if (isKnown) return
    executed.add(gtid)
    last = { gtid, committedAt }
    if (sourceOf(gtid) === serverId) highest = Math.max(highest, numberOf(gtid))
    const at = { last, file, pos: endPos }
    add({ kind: 'commit', gtid, position: () => ({ gtidSet: executed.toString(), ...at }) })
  }

  function refuse(what: string): never {
    throw new OperatorError(
      `transaction ${open?.gtid ?? 'without a GTID'} ${what}, which capture cannot read; ${MOVE_ON}`,
    )
  }

  function refuseUncovered({ what, tables }: Extract<Statement, { kind: 'unreadable' }>) {
    const { gtid = null } = open ?? {}
    if (gtid === null || !tables) refuse(`ran ${what}`)
    const unread = tables.filter((table) => !cover.has(table, gtid))
    if (unread.length === 0) return
    throw new UnreadTablesError(
      `transaction ${gtid} ran ${what}, which capture cannot read`,
      unread,
    )
  }

  return {
    rotate(next) {
      file = next
    },

    begin(gtid, committedAt) {
      if (open && open.events > 0) refuse('changes captured rows and has no end in the binlog')
      if (open) end(lastPos)
      if (expected && !isSame(expected, { gtid, committedAt })) throw anotherHistory()
      open = {
        gtid,
        committedAt,
        isKnown: expected !== null,
        events: 0,
        isBegun: false,
        isXa: false,
      }
      expected = null
    },

    statement(sql, schema, endPos, context) {
      const statement = readStatement(sql, schema, database, context)
      if (statement.kind === 'unreadable' && !open?.isKnown) refuseUncovered(statement)
      if (!open) return
      switch (statement.kind) {
        case 'begin':
          open.isBegun = true
          break
        case 'xa-start':
          open.isBegun = true
          open.isXa = true
          break
        case 'commit':
          end(endPos)
          break
        case 'unreadable':
          if (!open.isBegun) end(endPos)
          break
        case 'rollback':
          if (open.events > 0) refuse('rolls captured rows back inside the binlog')
          end(endPos)
          break
        case 'rollback-to':
          if (open.events > 0) refuse('rolls captured rows back inside the binlog')
          break
        case 'xa-end':
          break
        case 'other':
          // A definition statement is a transaction of its own, without an end event.
          if (!open.isBegun) end(endPos)
      }
    },

    rows({ layout, rows, pos }) {
      if (!open) return refuse(`changes ${layout.table}`)
      if (open.isKnown) return
      if (open.isXa) refuse(`changes ${layout.table} as an XA transaction`)
      // Versions are made from one server's sequence; another's cannot be ordered against them.
      if (sourceOf(open.gtid) !== serverId) {
        refuse(`changes ${layout.table} but was first committed on another server`)
      }
      if (isTagged(open.gtid)) {
        refuse(`changes ${layout.table} under a tagged GTID`)
      }
      if (numberOf(open.gtid) <= highest) {
        refuse(
          `changes ${layout.table} under a lower number than ${highest} before it, so that its version would be an older one`,
        )
      }
      const source = {
        connector: 'mysql',
        db: database,
        table: layout.table,
        ts_ms: Math.floor(open.committedAt / 1_000),
        gtid: open.gtid,
        file,
        pos,
        snapshot: 'false',
        epoch,
      } as const
      for (const [index, images] of rows.entries()) {
        for (const event of changeEvents(layout, images, source, index, open.events + 1)) {
          open.events += 1
          add({ kind: 'change', event })
        }
      }
    },

    unread(table, why) {
      if (!open) return refuse(`changes ${table}`)
      if (open.isKnown || cover.has(table, open.gtid)) return
      throw new UnreadTablesError(`transaction ${open.gtid} cannot be read: ${why}`, [table])
    },

    commit: end,

    prepared: end,
  }
}

function isSame(one: LastTransaction, other: LastTransaction): boolean {
  return one.gtid === other.gtid && one.committedAt === other.committedAt
}
