import type { Session } from './contract.js'

export interface StoredSession extends Session {
  /** When the access token expires by this machine's clock, in Unix milliseconds. */
  readonly expiresAt: number
}

/** Where a client keeps its session. */
export interface SessionStore {
  load(): StoredSession | null
  save(session: StoredSession | null): void
  /** Runs `work` while no other client of the same store does. */
  exclusive<Result>(work: () => Promise<Result>): Promise<Result>
}

/** Keeps the session as long as the program runs. */
export function memorySession(initial: StoredSession | null = null): SessionStore {
  let session = initial
  let last: Promise<unknown> = Promise.resolve()
  return {
    load: () => session,
    save(next) {
      session = next
    },
    exclusive(work) {
      const result = last.then(work, work)
      last = result.catch(() => undefined)
      return result
    },
  }
}

/** What a browser has and Node may lack. */
interface Browser {
  readonly localStorage: {
    getItem(key: string): string | null
    setItem(key: string, value: string): void
    removeItem(key: string): void
  }
  readonly navigator: {
    readonly locks?: { request<Result>(name: string, work: () => Promise<Result>): Promise<Result> }
  }
}

/** Keeps the session in the browser, for all tabs of the site: one of them refreshes it for all. */
export function browserSession(key = 'sns.session'): SessionStore {
  const { localStorage, navigator } = globalThis as unknown as Browser
  const within = memorySession()
  return {
    load() {
      try {
        return JSON.parse(localStorage.getItem(key) ?? 'null') as StoredSession | null
      } catch {
        return null
      }
    },
    save(session) {
      if (session === null) localStorage.removeItem(key)
      else localStorage.setItem(key, JSON.stringify(session))
    },
    // Locks are missing on pages that came without TLS from another machine.
    exclusive: (work) => navigator.locks?.request(key, work) ?? within.exclusive(work),
  }
}
