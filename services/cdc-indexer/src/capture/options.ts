export interface CaptureOptions {
  readonly maxBatchRows: number
  readonly maxBatchBytes: number
  /** The most that is read and not acknowledged, in approximate bytes of memory. */
  readonly maxBytes: number
  readonly checkpointIntervalMs: number
  /** Between saves while no captured row changes. */
  readonly idleCheckpointIntervalMs: number
  /** How long to stand by before asking for the lock again; jittered up to twice that. */
  readonly standbyMs: number
  /** Back-off after a failure: full jitter up to this, doubled each time up to the maximum. */
  readonly retryMs: number
  readonly maxRetryMs: number
  /** How long a shutdown waits for acknowledgements. */
  readonly shutdownMs: number
}

export const CAPTURE_DEFAULTS: CaptureOptions = {
  maxBatchRows: 2_000,
  maxBatchBytes: 1024 * 1024,
  maxBytes: 16 * 1024 * 1024,
  checkpointIntervalMs: 200,
  idleCheckpointIntervalMs: 30_000,
  standbyMs: 1_000,
  retryMs: 200,
  maxRetryMs: 3_000,
  shutdownMs: 10_000,
}
