import { sleep } from '@sns/shared/async/sleep'
import type { MemoryReport } from '@sns/shared/runtime/status-app'
import { createMergedPosts, type MergedPosts, type MergedPostsDeps } from './merged-posts'
import { createPostPieces, type PostPieces, type PostPiecesDeps } from './post-pieces'
import { createReactions, type Reactions, type ReactionsDeps } from './reactions'
import { createRelations, type Relations, type RelationsDeps } from './relations'
import { verifyMemory } from './verify'
import { createViewers, type Viewers, type ViewersDeps } from './viewers'
import { createWaitingPosts, type WaitingPosts, type WaitingPostsDeps } from './waiting-posts'

export interface MemoryOptions {
  /** The most that everything may use. */
  readonly maxMib: number
  /** Lower only in tests. */
  readonly lookAgainMs?: number
  /** Lower only in tests. */
  readonly maxWaiting?: number
}

/** What an api process keeps of the database. */
export interface Memory {
  readonly viewers: Viewers
  readonly relations: Relations
  readonly reactions: Reactions
  readonly pieces: PostPieces
  readonly merged: MergedPosts
  readonly waiting: WaitingPosts
  /** Compares `sample` entries of each kind, or all, with the database; see `verifyMemory`. */
  verify(sample: number): AsyncGenerator<MemoryReport>
}

/** The shares of what is kept; the rest is for the lists of merged authors. */
const POSTS_SHARE = 0.75
const RELATIONS_SHARE = 0.1
const REACTIONS_SHARE = 0.05
const VIEWERS_SHARE = 0.05
const LOOK_AGAIN_MS = 1_000

export function createMemory(
  deps: ViewersDeps &
    Omit<RelationsDeps & PostPiecesDeps, 'viewers'> &
    ReactionsDeps &
    MergedPostsDeps &
    WaitingPostsDeps,
  { maxMib, maxWaiting, lookAgainMs = LOOK_AGAIN_MS }: MemoryOptions,
): Memory {
  const bytes = maxMib * 2 ** 20
  const viewers = createViewers(deps, { maxBytes: bytes * VIEWERS_SHARE })
  const relations = createRelations({ ...deps, viewers }, { maxBytes: bytes * RELATIONS_SHARE })
  const reactions = createReactions(deps, { maxBytes: bytes * REACTIONS_SHARE })
  const pieces = createPostPieces({ ...deps, viewers }, { maxBytes: bytes * POSTS_SHARE })
  const merged = createMergedPosts(deps, {
    maxBytes: bytes * (1 - POSTS_SHARE - RELATIONS_SHARE - REACTIONS_SHARE - VIEWERS_SHARE),
  })
  const kinds = [pieces.kept, viewers.kept, ...relations.kept, reactions.kept, ...merged.kept]
  const { freshness } = deps
  return {
    viewers,
    relations,
    reactions,
    pieces,
    merged,
    waiting: createWaitingPosts(deps, { max: maxWaiting }),
    verify: (sample) => verifyMemory({ kinds, freshness, wait: () => sleep(lookAgainMs) }, sample),
  }
}
