export interface FenceState {
  /** Raised each time the fence closes. */
  readonly generation: number
  readonly isOpen: boolean
  /** The run of the message server that changes are announced on while the fence is open; empty: of none. */
  readonly server: string
  /**
   * Raised each time the fence opens for another server than before. Timelines of an earlier term are
   * not read: posts were pushed elsewhere since, also where the same server comes back.
   */
  readonly term: number
}

/**
 * The word in the database that says whether anybody may believe what was announced, and on which
 * server. It is what writers and readers have in common when they cannot reach the same server.
 *
 * Errors of every call: `store_unavailable`.
 */
export interface FreshnessFence {
  read(): Promise<FenceState>
  /** Closes it where it is open. Repeated or raced, it closes once. */
  close(): Promise<FenceState>
  /**
   * Makes the next opening another term, for whichever server. False, and nothing changed, where the fence
   * is open or was closed again since `generation`.
   */
  forgetServer(generation: number): Promise<boolean>
  /**
   * Opens it for `server`. False, and nothing changed, where it is open or was closed again since
   * `generation`, or where a process that reported within `REPORT_TTL_MS` is connected to another
   * server or to none.
   */
  open(server: string, generation: number): Promise<boolean>
  /** Says which server a process is connected to; null: to none. */
  report(process: string, server: string | null): Promise<void>
  /** Forgets a process that ends. */
  leave(process: string): Promise<void>
}

/** How long a look at the fence is good for. */
export const LEASE_MS = 2_000
/** Whoever waits for leases to end waits this much longer, so that clocks may run at slightly other rates. */
export const LEASE_MARGIN = 1.1

/** What one look at the fence told of the server that answered it, which may be written to. */
export interface PrimaryLook {
  /** When the look began. */
  readonly at: number
  /** Its `server_uuid`. */
  readonly server: string
  /** How long it has been the primary, as far as processes agreed on; infinite where there was no other before. */
  readonly ageMs: number
}

/** A process that has not reported for so long has no say in opening the fence. */
export const REPORT_TTL_MS = 10_000
