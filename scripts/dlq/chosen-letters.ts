import { OperatorError } from '@sns/shared/errors/operator-error'
import { type DeadLetter, letterId } from '@sns/shared/ports/dead-letters'

/**
 * The letters that an operator names, each once: by its whole id, or all letters of a row, `posts/42`. Throws an
 * `OperatorError` where an id names none.
 */
export function chosenLetters(
  letters: readonly DeadLetter[],
  ids: readonly string[],
): readonly DeadLetter[] {
  const named = (id: string) =>
    letters.filter((letter) => letterId(letter) === id || letterId(letter).startsWith(`${id}@`))
  const unknown = ids.find((id) => named(id).length === 0)
  if (unknown !== undefined) {
    throw new OperatorError(`there is no dead letter ${unknown}: dlq list shows them`)
  }
  return [...new Set(ids.flatMap(named))]
}
