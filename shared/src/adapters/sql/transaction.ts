import type { Kysely, Transaction } from 'kysely'
import { type BackoffOptions, backoffMs } from '../../async/retry'
import { storeUnavailable } from '../../errors/sns-error'
import { traitsOf } from './database'
import type { Database } from './schema'

const ATTEMPTS = 6
const BACKOFF: BackoffOptions = { baseMs: 20, capMs: 1_000 }

/**
 * Runs `work` in one transaction, again from the start where the database rolled it back for no fault
 * of its own (a deadlock, a lock wait), with full jitter. So `work` must do nothing but query `tx`.
 */
export async function transact<T>(
  db: Kysely<Database>,
  work: (tx: Transaction<Database>) => Promise<T>,
): Promise<T> {
  const traits = traitsOf(db)
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work)
    } catch (error) {
      if (!traits.isTransient(error)) throw error
      if (attempt === ATTEMPTS) throw storeUnavailable(traits.kind, error)
      traits.onRetry(error)
      await Bun.sleep(backoffMs(attempt, BACKOFF))
    }
  }
}
