import type { Clock } from '@sns/shared/domain/clock'

/** How far capture is behind, across its sessions: what one could not publish, the next must. */
export interface CaptureLag {
  /** A session has begun. `oldest`: when the oldest change that it holds was committed, if any. */
  begin(oldest: () => number | null): void
  acknowledge(committedAt: number): void
  /** The session is over. Its oldest change still counts, until a later session has acknowledged it. */
  end(): void
  /** Another process captures now, so nothing is ours to publish. */
  forget(): void
  /** The age of the oldest change that was read and not acknowledged; 0 when there is none. */
  seconds(): number
}

export function createCaptureLag(clock: Clock): CaptureLag {
  const nothing = () => null
  let held: () => number | null = nothing
  let owed: number | null = null

  function oldest(): number | null {
    const inHand = held()
    return owed === null || inHand === null ? (owed ?? inHand) : Math.min(owed, inHand)
  }

  return {
    begin(from) {
      held = from
    },
    acknowledge(committedAt) {
      if (owed !== null && committedAt >= owed) owed = null
    },
    end() {
      owed = oldest()
      held = nothing
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
