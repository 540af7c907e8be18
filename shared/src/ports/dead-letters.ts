import { type ChangeEvent, changeKey, documentVersion } from '../events/change-event'

/** A change that whoever takes it from the log can never take, put aside so that later ones go on. */
export interface DeadLetter {
  readonly change: ChangeEvent
  /**
   * Where it failed: the search index rejected it (`index`), or it cannot be read (`read`): an integer of its row is past
   * what a number holds exactly, and is rounded here. `reason` says which.
   */
  readonly stage: 'index' | 'read'
  readonly reason: string
  /** How often it was tried. */
  readonly attempts: number
  /** When it failed last, Unix milliseconds. */
  readonly at: number
}

/** Names the change: `posts/42@1048576`, the table, the key and the version that it left. */
export function letterId({ change }: Pick<DeadLetter, 'change'>): string {
  const { table } = change.source
  const key: Record<string, unknown> = JSON.parse(changeKey(table, change.after ?? change.before))
  return `${table}/${Object.values(key).join(',')}@${documentVersion(change)}`
}

/** The changes that were put aside. Errors of every call: `store_unavailable`. */
export interface DeadLetters {
  /** They are kept when it resolves. The same change again takes the place of its letter. */
  add(letters: readonly DeadLetter[]): Promise<void>
  /** All of them, in the order in which they failed first. */
  all(): Promise<readonly DeadLetter[]>
  remove(letters: readonly DeadLetter[]): Promise<void>
}
