import { SnsError } from './sns-error'

/**
 * A store that answers, and takes nothing until its operator acts: a full disk, a block, a right that is missing. The
 * message says what and what to do, and holds no user input. To clients it is a store that is unavailable.
 */
export class StoreHalted extends SnsError {
  constructor(reason: string, cause?: unknown) {
    super('store_unavailable', { detail: reason, retryAfterSeconds: 1, cause })
  }
}
