/** What a new generation of the search index goes through before searches read it. */
export interface GenerationSteps {
  /** Resolves once the generation has all that the log has; how many changes that took. */
  catchUp(): Promise<number>
  /** Removes documents without a row: deletes that the log never had. */
  removeExtra(): Promise<void>
  /** Compares every row and every document; how many. Rejects where they differ. */
  verify(): Promise<number>
  /** Searches read the generation from now on. */
  promote(): Promise<void>
}

/**
 * Fills and compares the generation, then has it read, in one step. It has what came while it was compared before it is
 * read: no search finds less than before. `onPromoted` is told what it took; then it catches up until the service has
 * taken over.
 */
export async function swapGeneration(
  { catchUp, removeExtra, verify, promote }: GenerationSteps,
  onPromoted: (taken: { readonly read: number; readonly compared: number }) => void,
): Promise<void> {
  const read = await catchUp()
  await removeExtra()
  const compared = await verify()
  await catchUp()
  await promote()
  onPromoted({ read, compared })
  await catchUp()
}
