import { isIndexed, searchChange } from '@sns/cdc-indexer/index/search-change'
import type { DeadLetter, DeadLetters } from '@sns/shared/ports/dead-letters'
import type { SearchIndex } from '@sns/shared/ports/search-index'
import type { SearchSource } from '@sns/shared/ports/search-source'

export interface RedriveDeps {
  readonly deadLetters: Pick<DeadLetters, 'add' | 'remove'>
  readonly search: Pick<SearchIndex, 'apply'>
  readonly source: Pick<SearchSource, 'find'>
  readonly now: () => number
}

/** `overtaken`: the index has something newer, or the row is gone. */
export type Redriven =
  | { readonly outcome: 'applied' | 'overtaken' }
  | { readonly outcome: 'rejected'; readonly reason: string }

/**
 * Gives a letter's change to the index once more, with the version that it has; a newer document stays. The letter goes
 * once the index has that or a newer one, and stays, with one more attempt, where it is rejected again.
 */
export async function redrive(
  { deadLetters, search, source, now }: RedriveDeps,
  letter: DeadLetter,
): Promise<Redriven> {
  if (letter.stage === 'read') {
    const reason =
      'its row cannot be read: correct the row, which makes another change, and drop the letter'
    return { outcome: 'rejected', reason }
  }
  if (!isIndexed(letter.change)) throw new TypeError('a letter of a table that is not indexed')
  const change = searchChange(letter.change)
  if (change.op === 'index') {
    // An index remembers the version of what was deleted for an hour only.
    const { kind, id } = change.document
    const [row] = await source.find(kind, [id])
    if (!row) {
      await deadLetters.remove([letter])
      return { outcome: 'overtaken' }
    }
  }
  const { stale, rejected } = await search.apply([change])
  const [refusal] = rejected
  if (refusal) {
    const { reason } = refusal
    await deadLetters.add([{ ...letter, reason, attempts: letter.attempts + 1, at: now() }])
    return { outcome: 'rejected', reason }
  }
  await deadLetters.remove([letter])
  return { outcome: stale > 0 ? 'overtaken' : 'applied' }
}
