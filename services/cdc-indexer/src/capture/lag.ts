import type { Clock } from '@sns/shared/domain/clock'

/** How far capture is behind, across its sessions. */
export interface CaptureLag {
  /** A session has begun; `oldest` is when the oldest change that it has in hand was committed, if any. */
  begin(oldest: () => number | null): void
  acknowledge(committedAt: number): void
  /** The session is over: what it had in hand is owed until a later one has acknowledged it. */
  end(): void
  /** Another process captures. */
  forget(): void
  /** The age of the oldest change that was read and not acknowledged; 0 when there is none. */
  seconds(): number
}

export function createCaptureLag(clock: Clock): CaptureLag {
  const nothing = () => null
  let inHand: () => number | null = nothing
  let owed: number | null = null

  function oldest(): number | null {
    const held = inHand()
    return owed === null || held === null ? (owed ?? held) : Math.min(owed, held)
  }

  return {
    begin(from) {
      inHand = from
    },
    acknowledge(committedAt) {
      if (owed !== null && committedAt >= owed) owed = null
    },
    end() {
      owed = oldest()
      inHand = nothing
    },
    forget() {
      owed = null
    },
    seconds() {
      const since = oldest()
      return since === null ? 0 : Math.max(0, clock.now() - since) / 1_000
    },
  }
}
