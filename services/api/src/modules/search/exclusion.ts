import type { UserId } from '@sns/shared/domain/id'
import type { GraphStore } from '@sns/shared/ports/graph-store'

export interface Exclusion {
  /** Whom the next hits need not be of. */
  users(): readonly UserId[]
  /** Told of a read of the index, and how many of its hits may be shown. */
  note(read: {
    readonly asked: number
    readonly hits: number
    readonly shown: number
  }): Promise<void>
}

/**
 * Whom a search leaves out for this viewer. They are hidden in any case, so nobody at first: only where hits were hidden
 * are the next ones worth a question, and that one is asked once.
 */
export function createExclusion(
  graph: Pick<GraphStore, 'blockedEitherWay'>,
  viewer: UserId,
): Exclusion {
  let blocked: readonly UserId[] | null = null
  return {
    users: () => blocked ?? [],
    async note({ asked, hits, shown }) {
      if (blocked === null && hits === asked && shown < asked) {
        blocked = await graph.blockedEitherWay(viewer)
      }
    },
  }
}
