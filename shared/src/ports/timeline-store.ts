import type { PostId, UserId } from '../domain/id'

/** A timeline as read from one point downwards. */
export type TimelineSlice =
  /** No window (or one being rebuilt): read SQL. */
  | { readonly state: 'absent' }
  | {
      readonly state: 'ready'
      /** Newest first, below `before`, at most `limit`. */
      readonly ids: readonly PostId[]
      /** Everything at or above it is in the window, nothing below; 0 where the window is complete. */
      readonly floor: number
      /** The `graphVersion` the window was built under. */
      readonly graphVersion: number
    }

export interface RebuiltTimeline {
  /** Newest first, without duplicates, at most the cap. */
  readonly ids: readonly PostId[]
  /** Whether nothing lies below the last of `ids`. */
  readonly complete: boolean
  /** Read before the ids were, so that it can only be too old, never too new. */
  readonly graphVersion: number
}

export interface PushResult {
  readonly delivered: number
  /** Timelines that do not exist: nobody read them lately; the next read rebuilds them. */
  readonly absent: number
  /** The id was there already (redelivery). */
  readonly duplicate: number
  /** The id is older than the window's floor, where SQL is read. */
  readonly belowFloor: number
}

export type RebuildToken = string & { readonly rebuildToken: true }

/**
 * Home timelines as contiguous windows of the newest ids: a projection that may be lost at any moment.
 *
 * A window holds every pushed or rebuilt id at or above its floor, once, newest first. It is capped at
 * `TIMELINE_CAP`; trimming raises the floor. Only a rebuild creates one; `push` never does. A window
 * that nobody reads for `TIMELINE_TTL_MS` is forgotten.
 *
 * A rebuild must not lose a post committed while it reads: `beginRebuild` first opens a place where
 * pushes are kept, then the caller reads SQL, then `finishRebuild` joins both. Any post that SQL did
 * not show yet is pushed after that moment, so it is in one or the other. A rebuild whose token was
 * replaced, dropped or has outlived `REBUILD_TTL_MS` installs nothing.
 *
 * All calls may be repeated and reordered without changing the outcome (F4). Calls about one user are
 * atomic against each other. Errors: `store_unavailable`; the caller falls back to SQL.
 */
export interface TimelineStore {
  read(
    user: UserId,
    page: { readonly before: PostId | null; readonly limit: number },
  ): Promise<TimelineSlice>
  /** Fans one post out to those of `users` who have a window or a rebuild under way. */
  push(post: PostId, users: readonly UserId[]): Promise<PushResult>
  /** Null where another rebuild is under way: read SQL without installing. Replaces a ready window. */
  beginRebuild(user: UserId): Promise<RebuildToken | null>
  /** False where the token no longer stands. */
  finishRebuild(user: UserId, token: RebuildToken, timeline: RebuiltTimeline): Promise<boolean>
  drop(user: UserId): Promise<void>
}
