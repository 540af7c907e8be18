import type { Clock } from './clock'

declare const kind: unique symbol

/**
 * A 53-bit integer ordered by time: 41 bits of milliseconds since 2024-01-01T00:00Z, then a 12-bit
 * counter. Exact as a JavaScript number and as a Redis score; travels as a decimal string in JSON.
 */
export type Id<Kind extends string> = number & { readonly [kind]: Kind }

export type UserId = Id<'user'>
export type PostId = Id<'post'>
export type CommentId = Id<'comment'>
export type FollowId = Id<'follow'>
export type SessionId = Id<'session'>

const ID_EPOCH_MS = Date.UTC(2024, 0, 1)
const COUNTER_BITS = 12
const COUNTERS_PER_MS = 2 ** COUNTER_BITS

/** The time an id was made, in milliseconds since the Unix epoch. */
export function idTime(id: number): number {
  return Math.floor(id / COUNTERS_PER_MS) + ID_EPOCH_MS
}

/**
 * The smallest id that can be made at `ms` (Unix epoch); times before 2024 give 0. Throws a `RangeError` past September
 * 2093, where ids end.
 */
export function firstIdAt(ms: number): number {
  return exactId(Math.max(0, Math.floor(ms) - ID_EPOCH_MS) * COUNTERS_PER_MS)
}

/** The id itself. Throws a `RangeError` for what is none: whatever makes ids passes them through here. */
export function exactId<Kind extends string>(id: number): Id<Kind> {
  if (Number.isSafeInteger(id) && id >= 0) return id as Id<Kind>
  throw new RangeError(`${id} is no id: ids are whole numbers below 2^53, made of times up to 2093`)
}

/** Reads an id from its decimal form; `null` if it is not one (sign, leading zero, past 2^53 - 1). */
export function parseId<Kind extends string>(text: string): Id<Kind> | null {
  if (!/^[1-9]\d{0,15}$/.test(text)) return null
  const value = Number(text)
  return Number.isSafeInteger(value) ? (value as Id<Kind>) : null
}

export function formatId(id: number): string {
  return id.toString()
}

/** Makes ids that grow strictly within this process. */
export interface IdGenerator {
  next<Kind extends string>(): Id<Kind>
}

export interface IdGeneratorDeps {
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random?: () => number
}

/**
 * `random` gives each millisecond's first counter (below 1,024), so that writers in other processes
 * rarely meet; where they do, the primary key refuses the second and its writer takes the next id.
 */
export function createIdGenerator({ clock, random = Math.random }: IdGeneratorDeps): IdGenerator {
  let last = 0
  return {
    next<Kind extends string>() {
      const fresh = firstIdAt(clock.now()) + Math.floor(random() * 1024)
      const id = exactId<Kind>(fresh > last ? fresh : last + 1)
      last = id
      return id
    },
  }
}
