import { OperatorError } from '@sns/shared/errors/operator-error'
import { epochOf } from '@sns/shared/events/change-event'
import { sourceOf } from '@sns/shared/events/gtid'
import { type CapturedTable, capturedTables } from '@sns/shared/events/tables'
import { GtidSet } from '@vlasky/zongji'
import type { BinlogItem, BinlogPosition, LastTransaction } from '../ports/binlog-source'
import type { PublishedTransaction } from '../ports/change-publisher'
import { MOVE_ON } from '../ports/checkpoint-store'
import { createSequenceCounter } from '../source-epochs'
import { changeEvents, type TableLayout } from './binlog-rows'
import { readStatement, type Statement, type StatementContext } from './binlog-statement'
import { anotherHistory, unorderedBefore } from './errors'
import { ANY_EFFECTS, effectsDefinedBy, type StatementEffects } from './statement-effects'
import { NO_COVER, type SnapshotCover, UnreadTablesError } from './unread-tables'
import type { RowImages } from './values/rows-event'

export interface RowsEvent {
  readonly layout: TableLayout
  readonly rows: readonly RowImages[]
  /** Where the event starts in the file. */
  readonly pos: number
}

/** Binlog events of one stream, in order. Each call may throw an `OperatorError`. */
export interface TransactionReader {
  rotate(file: string): void
  /** A GTID event: what follows belongs to this transaction. `committedAt`: when it was first, Unix microseconds. */
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
  /** Where to go on. The stream has `from.last` before all that is captured, where that is known. */
  readonly from: BinlogPosition
  /** What keeps the sequence that it was published with. */
  readonly published?: readonly PublishedTransaction[]
  readonly database: string
  /** What cannot be read and need not be, as a snapshot brings it. */
  readonly cover?: SnapshotCover
  /** What else changes with the rows of a statement that was logged in their place, where the stream begins. */
  readonly effects?: StatementEffects
}

interface Transaction {
  readonly gtid: string
  readonly committedAt: number
  readonly sequence: number
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
  {
    from,
    published = [],
    database,
    cover = NO_COVER,
    effects = ANY_EFFECTS,
  }: TransactionReaderOptions,
): TransactionReader {
  const executed = GtidSet.parse(from.gtidSet)
  const counter = createSequenceCounter(from.epochs, published)
  let expected = from.last
  let last = from.last
  let file = from.file
  let lastPos = from.pos
  let open: Transaction | null = null
  let hasEffects = !effects.areNone
  /** A statement whose own table alone was taken for changed. */
  let narrowed: string | null = null

  function end(endPos: number) {
    lastPos = endPos
    if (!open) return
    const { gtid, committedAt, sequence, isKnown, events } = open
    open = null
    if (isKnown) return
    executed.add(gtid)
    counter.pass(gtid, sequence)
    // A server that was none's primary may have written before it heard of what was captured.
    if (expected && events === 0) return
    last = { gtid, committedAt }
    const at = { last, file, pos: endPos }
    const position = () => ({ gtidSet: executed.toString(), epochs: counter.epochs(), ...at })
    add({ kind: 'commit', gtid, sequence: counter.last(), position })
  }

  function refuse(what: string): never {
    throw new OperatorError(
      `transaction ${open?.gtid ?? 'without a GTID'} ${what}, which capture cannot read; ${MOVE_ON}`,
    )
  }

  function refuseUncovered({ what, tables, own }: Extract<Statement, { kind: 'unreadable' }>) {
    const { gtid = null } = open ?? {}
    if (gtid === null) refuse(`ran ${what}`)
    if (own && !hasEffects) narrowed = gtid
    const concerned = tables ?? (own && !hasEffects ? [own] : capturedTables)
    assertCovered(gtid, concerned, `ran ${what}, which capture cannot read`)
  }

  function assertCovered(gtid: string, tables: readonly CapturedTable[], what: string) {
    const unread = tables.filter((table) => !cover.has(table, gtid))
    if (unread.length > 0) throw new UnreadTablesError(`transaction ${gtid} ${what}`, unread)
  }

  /** Triggers and foreign keys that come and go along the log. */
  function noteEffects(sql: string, context: StatementContext | undefined) {
    const defined = context && effectsDefinedBy(sql, context)
    if (defined === 'made') hasEffects = true
    if (defined !== 'gone' || narrowed === null) return
    const what = 'was written while a trigger or a foreign key may have changed more rows with it'
    assertCovered(narrowed, capturedTables, what)
  }

  return {
    rotate(next) {
      file = next
    },

    begin(gtid, committedAt) {
      if (open && open.events > 0) refuse('changes captured rows and has no end in the binlog')
      if (open) end(lastPos)
      const isKnown = expected?.gtid === gtid
      if (expected && isKnown && !isSame(expected, { gtid, committedAt }))
        throw anotherHistory(gtid)
      const sequence = isKnown ? from.epochs.last : counter.of(gtid)
      open = { gtid, committedAt, sequence, isKnown, events: 0, isBegun: false, isXa: false }
      if (isKnown) expected = null
    },

    statement(sql, schema, endPos, context) {
      const statement = readStatement(sql, schema, database, context)
      if (statement.kind === 'unreadable' && !open?.isKnown) refuseUncovered(statement)
      if (statement.kind === 'other') noteEffects(sql, context)
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
      // Those of one source may stand in another order in a member's log: what was committed at once.
      if (expected && sourceOf(expected.gtid) !== sourceOf(open.gtid)) {
        throw unorderedBefore(open.gtid, expected.gtid, layout.table)
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
        epoch: epochOf(open.sequence),
        sequence: open.sequence,
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
      if (!open.isKnown) assertCovered(open.gtid, [table], `cannot be read: ${why}`)
    },

    commit: end,

    prepared: end,
  }
}

function isSame(one: LastTransaction, other: LastTransaction): boolean {
  return one.gtid === other.gtid && one.committedAt === other.committedAt
}
