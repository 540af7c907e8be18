import { type MonotonicTime, monotonicTime } from '../../async/sleep'
import { isSnsError, storeUnavailable } from '../../errors/sns-error'
import { LEASE_MARGIN, LEASE_MS, type PrimaryLook } from '../../ports/freshness-fence'

export interface MysqlPrimaryDeps {
  /** Looks at the fence, and tells `saw`; see `createSqlFreshnessFence`. */
  readonly look: () => Promise<unknown>
  /** The next look must be made on a new connection. */
  readonly onDoubt?: () => void
  readonly time?: MonotonicTime
}

/** A look that failed is followed by one on a new connection, which may lead elsewhere by then. */
const ATTEMPTS = 3

/**
 * Which server of MySQL is the primary, for connections that were opened when it may have been another.
 *
 * A connection is used only within the lease of a look (2 s from when it began) that found its server to be
 * the fence's and not read-only. Whoever sees another server in the fence's place, which takes writes,
 * makes it the fence's; nobody uses it before every look at the one before is over. So a statement on the
 * old primary never begins after a write on the new one was answered, provided that the old one was
 * read-only, or did not answer, before the new one took writes.
 */
export interface MysqlPrimary {
  /** The server whose connections may be used now; null: ask for it. */
  current(): string | null
  /** Looks again where need be. Errors: `store_unavailable`, where no server is known to be the primary. */
  confirm(): Promise<string>
  /** A look's result. */
  saw(look: PrimaryLook): void
  /** Nothing of before holds any more: a server refused a write, or a new connection leads elsewhere. */
  doubt(): void
  /** Told of each server that is another one than before, the first included. */
  onMove(listener: (server: string) => void): void
}

export function createMysqlPrimary({
  look,
  onDoubt,
  time = monotonicTime,
}: MysqlPrimaryDeps): MysqlPrimary {
  const listeners: ((server: string) => void)[] = []
  let last: PrimaryLook | null = null
  let server: string | null = null
  /** From when on the server may be used. */
  let admittedAt = 0
  /** Looks that began before are not relied on. */
  let doubtedAt = Number.NEGATIVE_INFINITY
  let looking: Promise<unknown> | null = null

  function isLeased(): boolean {
    return last !== null && last.at > doubtedAt && time.now() - last.at < LEASE_MS
  }

  function current(): string | null {
    return isLeased() && time.now() >= admittedAt ? server : null
  }

  function lookOnce(): Promise<unknown> {
    looking ??= look().finally(() => {
      looking = null
    })
    return looking
  }

  return {
    current,
    async confirm() {
      let failure: unknown = new Error('it is not known which server is the primary')
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        try {
          if (!isLeased()) await lookOnce()
        } catch (error) {
          failure = error
        }
        if (isLeased() && time.now() < admittedAt) await time.sleep(admittedAt - time.now())
        const found = current()
        if (found !== null) return found
      }
      throw isSnsError(failure) ? failure : storeUnavailable('mysql', failure)
    },
    saw(seen) {
      if (last !== null && seen.at < last.at) return
      last = seen
      if (seen.server === server) return
      server = seen.server
      admittedAt = time.now() + Math.max(0, LEASE_MS * LEASE_MARGIN - seen.ageMs)
      for (const listener of listeners) listener(server)
    },
    doubt() {
      doubtedAt = time.now()
      onDoubt?.()
    },
    onMove: (listener) => void listeners.push(listener),
  }
}
