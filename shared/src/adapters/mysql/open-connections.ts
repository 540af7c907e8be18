import type { PoolConnection } from 'mysql2'
import type { MonotonicTime } from '../../async/sleep'

/** Why a connection left the pool before its server ended it. */
export type Discard = 'lifetime' | 'idle' | 'refused' | 'moved'

/** Whoever uses a connection now. */
export interface ConnectionUse {
  /** Ends the use: the statement in flight fails as with a lost connection. */
  abandon(): void
}

export interface OpenConnectionsDeps {
  readonly time: MonotonicTime
  /** In [0, 1). */
  readonly random: () => number
  readonly onDiscard: (reason: Discard) => void
}

export interface OpenConnectionsOptions {
  readonly maxLifetimeMs: number
  readonly idleMs: number
}

interface Member {
  readonly expiresAt: number
  /** The server's `server_uuid`, once it has answered. */
  server: string | null
  /** Since when nobody uses it; null: somebody does. */
  idleSince: number | null
  use: ConnectionUse | null
}

/** A lifetime ends at a random moment of its last fifth, so that connections of one moment do not all end at one. */
const JITTER = 0.2

/**
 * The connections that a pool has open, with what mysql2's pool does not know of them: their age, since when
 * they are idle, to which server they lead, and who must be told where one is thrown away.
 */
export function createOpenConnections(
  { time, random, onDiscard }: OpenConnectionsDeps,
  { maxLifetimeMs, idleMs }: OpenConnectionsOptions,
) {
  const members = new Map<PoolConnection, Member>()

  function expiryOf(member: Member): Discard | null {
    const now = time.now()
    if (now >= member.expiresAt) return 'lifetime'
    return member.idleSince !== null && now - member.idleSince >= idleMs ? 'idle' : null
  }

  function discard(raw: PoolConnection, reason: Discard): void {
    const member = members.get(raw)
    if (!member) return
    members.delete(raw)
    onDiscard(reason)
    raw.destroy()
    member.use?.abandon()
  }

  function discardExpired(): void {
    for (const [raw, member] of members) {
      const expiry = member.use ? null : expiryOf(member)
      if (member.idleSince !== null && expiry) discard(raw, expiry)
    }
  }

  return {
    get size(): number {
      return members.size
    },
    add(raw: PoolConnection): void {
      const lifetime = maxLifetimeMs * (1 - JITTER * random())
      const expiresAt = time.now() + lifetime
      members.set(raw, { expiresAt, server: null, idleSince: null, use: null })
    },
    /** It has ended by itself. */
    remove(raw: PoolConnection): void {
      members.delete(raw)
    },
    serverOf: (raw: PoolConnection): string | null => members.get(raw)?.server ?? null,
    leadsTo(raw: PoolConnection, server: string): void {
      const member = members.get(raw)
      if (member) member.server = server
    },
    /** Takes it into use. False where it is past its time, and is thrown away. */
    take(raw: PoolConnection): boolean {
      const member = members.get(raw)
      const expiry = member ? expiryOf(member) : null
      if (expiry) discard(raw, expiry)
      else if (member) member.idleSince = null
      return expiry === null
    },
    usedBy(raw: PoolConnection, use: ConnectionUse): void {
      const member = members.get(raw)
      if (member) member.use = use
    },
    giveBack(raw: PoolConnection): void {
      const member = members.get(raw)
      if (!member) return
      member.use = null
      member.idleSince = time.now()
    },
    discard,
    discardExpired,
    /** Throws away those that are not known to lead to this server; null: all. */
    discardOthers(server: string | null): void {
      for (const [raw, member] of members) {
        if (server === null || (member.server !== null && member.server !== server)) {
          discard(raw, 'moved')
        }
      }
    },
    /** Whoever waits for an answer gets none any more. */
    abandonAll(): void {
      for (const [raw, { use }] of members) {
        raw.destroy()
        use?.abandon()
      }
      members.clear()
    },
  }
}

export type OpenConnections = ReturnType<typeof createOpenConnections>
