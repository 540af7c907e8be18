import type { BinlogPosition } from './ports/binlog-source'

export interface CheckpointWriterDeps {
  readonly save: (position: BinlogPosition) => Promise<void>
  /** Told once when a save fails; nothing is written after that. */
  readonly onError: (error: unknown) => void
}

export interface CheckpointWriterOptions {
  /** The least time between two saves while changes are published. */
  readonly intervalMs: number
  /**
   * The same while no captured row has changed for a while: longer, as each save is itself a transaction. Until then a
   * second at most.
   */
  readonly idleIntervalMs: number
}

/** The fan-out worker watches how far capture is for half as long after a post (`waitingFloor`). */
const SETTLING_MS = 120_000
const SETTLING_INTERVAL_MS = 1_000

/** Saves the newest position at intervals, beside the publishing, one save at a time. */
export interface CheckpointWriter {
  /** Everything up to `position` is acknowledged. */
  offer(position: BinlogPosition, isUrgent: boolean): void
  /** Saves what was offered last, and stops. Rejects where that fails or an earlier save did. */
  flush(): Promise<void>
}

export function createCheckpointWriter(
  { save: write, onError }: CheckpointWriterDeps,
  options: CheckpointWriterOptions,
): CheckpointWriter {
  let pending: BinlogPosition | null = null
  let savedAt = performance.now()
  let timer: { readonly at: number; readonly handle: ReturnType<typeof setTimeout> } | null = null
  let saving: Promise<void> | null = null
  let failure: { readonly error: unknown } | null = null
  let isStopped = false
  let isUrgentPending = false
  // An earlier session may have ended right after a change.
  let changedAt = performance.now()

  function intervalMs(): number {
    if (isUrgentPending) return options.intervalMs
    const isSettling = performance.now() - changedAt < SETTLING_MS
    return isSettling
      ? Math.min(SETTLING_INTERVAL_MS, options.idleIntervalMs)
      : options.idleIntervalMs
  }

  function schedule() {
    if (isStopped || failure || saving || !pending) return
    const at = savedAt + intervalMs()
    if (timer && timer.at <= at) return
    if (timer) clearTimeout(timer.handle)
    timer = { at, handle: setTimeout(save, Math.max(0, at - performance.now())) }
  }

  function save() {
    timer = null
    const position = pending
    if (!position || failure) return
    pending = null
    isUrgentPending = false
    saving = write(position)
      .catch((error) => {
        failure = { error }
        if (!isStopped) onError(error)
      })
      .finally(() => {
        saving = null
        savedAt = performance.now()
        schedule()
      })
  }

  return {
    offer(position, isUrgent) {
      pending = position
      isUrgentPending ||= isUrgent
      if (isUrgent) changedAt = performance.now()
      schedule()
    },
    async flush() {
      isStopped = true
      if (timer) clearTimeout(timer.handle)
      timer = null
      while (saving) await saving
      save()
      while (saving) await saving
      if (failure) throw failure.error
    },
  }
}
