import type { BinlogItem } from '../ports/binlog-source'

export interface BinlogBufferOptions {
  readonly maxBytes: number
  /** Stops the sender; called again only after `resume`. */
  readonly pause: () => void
  readonly resume: () => void
}

/** Items between the binlog's connection, which pushes, and their consumer, which pulls. */
export interface BinlogBuffer {
  push(item: BinlogItem): void
  /**
   * A transaction without captured changes ended. Only the newest is kept, and it is made when the
   * consumer has taken everything before it, so that others' traffic costs next to nothing.
   */
  pushIdle(commit: () => BinlogItem): void
  /** No more will come; what is there is still handed out, then `error` is thrown. */
  end(error: Error | null): void
  /** Ends at once and forgets what is there. */
  discard(): void
  readonly isPaused: boolean
  readonly isEnded: boolean
  items(): AsyncGenerator<BinlogItem, void, void>
}

const COMMIT_BYTES = 200
const COMPACT_AFTER = 4_096

export function createBinlogBuffer(options: BinlogBufferOptions): BinlogBuffer {
  let queue: (BinlogItem | undefined)[] = []
  let next = 0
  let bytes = 0
  let idleCommit: (() => BinlogItem) | null = null
  let ended: { readonly error: Error | null } | null = null
  let isPaused = false
  let wake: (() => void) | null = null

  function notify() {
    wake?.()
    wake = null
  }

  function shift(): BinlogItem | undefined {
    const item = queue[next]
    if (!item) return undefined
    queue[next] = undefined
    next += 1
    if (next === queue.length || next === COMPACT_AFTER) {
      queue = queue.slice(next)
      next = 0
    }
    bytes -= sizeOf(item)
    return item
  }

  function resumeIfDrained() {
    if (!isPaused || ended || bytes > options.maxBytes / 2) return
    isPaused = false
    options.resume()
  }

  return {
    push(item) {
      if (ended) return
      idleCommit = null
      queue.push(item)
      bytes += sizeOf(item)
      if (bytes >= options.maxBytes && !isPaused) {
        isPaused = true
        options.pause()
      }
      notify()
    },
    pushIdle(commit) {
      if (ended) return
      idleCommit = commit
      notify()
    },
    end(error) {
      if (ended) return
      ended = { error }
      notify()
    },
    discard() {
      queue = []
      next = 0
      idleCommit = null
      ended = { error: null }
      notify()
    },
    get isPaused() {
      return isPaused
    },
    get isEnded() {
      return ended !== null
    },
    async *items() {
      for (;;) {
        const item = shift()
        if (item) {
          resumeIfDrained()
          yield item
        } else if (idleCommit) {
          const commit = idleCommit
          idleCommit = null
          yield commit()
        } else if (ended) {
          if (ended.error) throw ended.error
          return
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    },
  }
}

function sizeOf(item: BinlogItem): number {
  return item.kind === 'change' ? item.bytes : COMMIT_BYTES + item.position.gtidSet.length
}
