/** The newest ids a cached timeline holds; what lies below its floor is read from SQL. */
export const TIMELINE_CAP = 800
/** How far a timeline may exceed the cap before it is trimmed. */
const TIMELINE_SLACK = 80
/** A timeline not read for this long is deleted: the active-user window. */
export const TIMELINE_TTL_MS = 7 * 24 * 3600 * 1000
/** A rebuild not finished after this time counts as abandoned. */
export const REBUILD_TTL_MS = 15_000

/** The sizes and times of a timeline store; other values only in tests. */
export interface TimelineLimits {
  readonly cap: number
  readonly slack: number
  readonly ttlMs: number
  readonly rebuildTtlMs: number
}

export const TIMELINE_LIMITS: TimelineLimits = {
  cap: TIMELINE_CAP,
  slack: TIMELINE_SLACK,
  ttlMs: TIMELINE_TTL_MS,
  rebuildTtlMs: REBUILD_TTL_MS,
}
