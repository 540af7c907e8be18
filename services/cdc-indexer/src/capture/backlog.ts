import { yieldToEventLoop } from '@sns/shared/async/sleep'
import { type EncodedChange, encodeChange } from '@sns/shared/events/change-record'
import type { BinlogPosition, BinlogSink } from './ports/binlog-source'

/** Changes that are published together, and the position that is reached once they are acknowledged. */
export interface Batch {
  readonly changes: readonly EncodedChange[]
  readonly bytes: number
  /** The last commit among or right behind the changes; null while their transaction goes on. */
  readonly commit: BinlogPosition | null
  /** How many of the changes that commit covers. */
  readonly complete: number
}

export interface BacklogOptions {
  readonly maxBatchRows: number
  readonly maxBatchBytes: number
  /** From this much read and not acknowledged the reader waits, until a third of it is. */
  readonly maxBytes: number
}

export interface BacklogDeps {
  /** Told how much is held, once a batch. */
  readonly onBytes: (bytes: number) => void
}

/**
 * What has been read from the binlog and not been acknowledged yet, in batches, in order: the only
 * queue between the connection to MySQL and Kafka. It holds them as they will be sent.
 */
export interface Backlog extends BinlogSink {
  /**
   * The oldest batch; waits for one. A batch is full, or it holds whatever came until the publisher
   * was free to take it: alone when idle, large under load. Null when closed and empty.
   */
  next(): Promise<Batch | null>
  /** When the oldest change that was added and is not done was committed, Unix milliseconds. */
  oldest(): number | null
  /** The batch is acknowledged: its bytes are free. */
  done(batch: Batch): void
  /** No more will be added; `error` is thrown when what is there has been taken. */
  close(error: Error | null): void
  /** Forgets the end of the log that belongs to a transaction not wholly read. */
  dropIncomplete(): void
  /** Nothing more may be taken: `next` throws `error` at once. */
  abandon(error: Error): void
}

interface OpenBatch {
  readonly changes: EncodedChange[]
  bytes: number
  /** Called once, when the batch is taken or full: transactions without captured rows cost nothing. */
  commit: (() => BinlogPosition) | null
  complete: number
}

/** What a change takes in memory: texts that are not all ASCII have two bytes a character. */
export function heldBytes({ bytes }: EncodedChange): number {
  return 2 * bytes + 100
}

function emptyBatch(): OpenBatch {
  return { changes: [], bytes: 0, commit: null, complete: 0 }
}

export function createBacklog({ onBytes }: BacklogDeps, options: BacklogOptions): Backlog {
  let sealed: Batch[] = []
  let open: OpenBatch | null = null
  let bytes = 0
  let inHand: Batch | null = null
  let abandoned: number | null = null
  let closed: { readonly error: Error | null } | null = null
  let isAbandoned = false
  let wakePublisher: (() => void) | null = null
  let room: PromiseWithResolvers<void> | null = null

  function wake() {
    wakePublisher?.()
    wakePublisher = null
  }

  function makeRoom() {
    room?.resolve()
    room = null
  }

  function seal() {
    if (open) sealed.push({ ...open, commit: open.commit?.() ?? null })
    open = null
  }

  function isFull(batch: OpenBatch, more: number): boolean {
    if (batch.changes.length === 0) return false
    return (
      batch.changes.length >= options.maxBatchRows || batch.bytes + more > options.maxBatchBytes
    )
  }

  function oldest(): number | null {
    for (const batch of [inHand, ...sealed, open]) {
      const change = batch?.changes[0]
      if (change) return change.committedAt
    }
    return abandoned
  }

  return {
    oldest,

    add(item) {
      if (closed) return null
      if (item.kind === 'commit') {
        open ??= emptyBatch()
        open.commit = item.position
        open.complete = open.changes.length
      } else {
        const change = encodeChange(item.event)
        const size = heldBytes(change)
        if (open && isFull(open, size)) {
          seal()
          onBytes(bytes)
        }
        open ??= emptyBatch()
        open.changes.push(change)
        open.bytes += size
        bytes += size
      }
      wake()
      if (bytes < options.maxBytes && !room) return null
      room ??= Promise.withResolvers()
      return room.promise
    },

    async next() {
      while (sealed.length === 0 && !open && !closed) {
        await new Promise<void>((resolve) => {
          wakePublisher = resolve
        })
        // Lets everything arrive that the same read of the socket brought, so that it goes in one batch.
        if (sealed.length === 0 && !closed) await yieldToEventLoop()
      }
      if (isAbandoned && closed?.error) throw closed.error
      if (sealed.length === 0) seal()
      const batch = sealed.shift() ?? null
      if (!batch && closed?.error) throw closed.error
      inHand = batch
      return batch
    },

    done(batch) {
      inHand = null
      bytes -= batch.bytes
      onBytes(bytes)
      if (bytes <= (options.maxBytes * 2) / 3) makeRoom()
    },

    close(error) {
      closed ??= { error }
      wake()
      makeRoom()
    },

    dropIncomplete() {
      seal()
      const last = sealed.findLastIndex((batch) => batch.commit !== null)
      sealed = sealed
        .slice(0, last + 1)
        .map((batch, at) =>
          at === last ? { ...batch, changes: batch.changes.slice(0, batch.complete) } : batch,
        )
    },

    abandon(error) {
      closed = { error }
      isAbandoned = true
      abandoned = oldest()
      sealed = []
      open = null
      wake()
      makeRoom()
    },
  }
}
