/** Tells an index that is wrong from documents that are. */
export interface Breaker {
  /**
   * Notes what became of a batch. Where most of it, or of the last documents with it, were rejected, returns how
   * many of how many, and forgets the batch: it will come again.
   */
  note(documents: number, rejected: number): string | null
}

/** The documents that are looked back on. */
const WINDOW = 1_000
/** Fewer may be bad luck. */
const LEAST_REJECTED = 20

export function createBreaker(): Breaker {
  let past: readonly { readonly documents: number; readonly rejected: number }[] = []
  return {
    note(documents, rejected) {
      const batches = [{ documents, rejected }, ...past]
      let [all, bad] = [0, 0]
      for (const batch of batches) {
        all += batch.documents
        bad += batch.rejected
        if (rejected > 0 && bad >= LEAST_REJECTED && bad > all / 2) return `${bad} of ${all}`
      }
      let seen = 0
      past = batches.filter((each) => {
        seen += each.documents
        return seen - each.documents < WINDOW
      })
      return null
    },
  }
}
