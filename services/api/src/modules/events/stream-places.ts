import type { UserId } from '@sns/shared/domain/id'
import { SnsError } from '@sns/shared/errors/sns-error'

export interface StreamPlacesOptions {
  /** Streams of this process. */
  readonly max: number
  /** Streams of one address. */
  readonly maxByAddress: number
}

export type StreamPlaces = ReturnType<typeof createStreamPlaces>

const MAX_BY_ACCOUNT = 10
const RETRY_AFTER_SECONDS = 30

/**
 * How many streams there may be: of this process, of an account, of an address. A place is taken before anything is
 * awaited, so that many requests at once are counted as one after another.
 */
export function createStreamPlaces(
  { max, maxByAddress }: StreamPlacesOptions,
  onCount: (streams: number) => void,
) {
  let count = 0
  const byAccount = new Map<UserId, number>()
  const byAddress = new Map<string, number>()

  return {
    /** Gives the function that frees the place; further calls of it do nothing. Errors: `too_many_requests`. */
    take(user: UserId, address: string): () => void {
      if (count >= max) throw tooMany('Too many clients listen to events')
      if ((byAccount.get(user) ?? 0) >= MAX_BY_ACCOUNT) {
        throw tooMany(`At most ${MAX_BY_ACCOUNT} clients of one account listen to events`)
      }
      if ((byAddress.get(address) ?? 0) >= maxByAddress) {
        throw tooMany(`At most ${maxByAddress} clients of one address listen to events`)
      }
      const add = (by: 1 | -1) => {
        count += by
        addTo(byAccount, user, by)
        addTo(byAddress, address, by)
        onCount(count)
      }
      add(1)
      let isTaken = true
      return () => {
        if (isTaken) add(-1)
        isTaken = false
      }
    },
  }
}

function addTo<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  const next = (counts.get(key) ?? 0) + by
  if (next > 0) counts.set(key, next)
  else counts.delete(key)
}

function tooMany(detail: string): SnsError {
  return new SnsError('too_many_requests', { detail, retryAfterSeconds: RETRY_AFTER_SECONDS })
}
