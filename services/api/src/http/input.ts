import { type Id, parseId } from '@sns/shared/domain/id'
import { cleanText, MARK_RUN_MAX, type TextProblem } from '@sns/shared/domain/text'
import { type FieldProblem, isSnsError, SnsError } from '@sns/shared/errors/sns-error'
import { holdsHidden } from '../modules/accounts/names'

export const TOO_MANY_MARKS = `must not hold more than ${MARK_RUN_MAX} combining marks in a row`

const MESSAGES: Readonly<Record<TextProblem, (max: number) => string>> = {
  blank: () => 'must hold something to read',
  too_long: (max) => `must be at most ${max} characters`,
  control_character: () => 'must not hold control characters',
  lone_surrogate: () => 'must be well-formed Unicode: it holds half of a surrogate pair',
  long_mark_run: () => TOO_MANY_MARKS,
}

/** Cleans a text. Throws `invalid_request` naming `field`. */
export function parseText(field: string, input: string, max: number): string {
  const result = cleanText(input, max)
  if (!result.ok) throw invalidField(field, MESSAGES[result.problem](max))
  return result.text
}

/** Cleans a display name: one line, without invisible characters. Throws `invalid_request`. */
export function parseName(field: string, input: string, max: number): string {
  const name = parseText(field, input, max)
  if (/[\n\t]/.test(name)) throw invalidField(field, 'must be on one line')
  if (holdsHidden(name)) throw invalidField(field, 'must not hold invisible characters')
  return name
}

/** Parses the id in a path. Throws `not_found` for anything that is not an id. */
export function pathId<Kind extends string>(text: string): Id<Kind> {
  const id = typeof text === 'string' ? parseId<Kind>(text) : null
  if (id === null) throw new SnsError('not_found')
  return id
}

/** Runs the checks of several fields. Throws one `invalid_request` that names every wrong one. */
export async function checkFields(...checks: readonly (() => unknown)[]): Promise<void> {
  const wrong: FieldProblem[] = []
  for (const check of checks) {
    try {
      await check()
    } catch (error) {
      if (!isSnsError(error, 'invalid_request')) throw error
      wrong.push(...error.fields)
    }
  }
  const [first] = wrong
  if (!first) return
  throw new SnsError('invalid_request', {
    detail: `${first.field} ${first.message}`,
    fields: wrong,
  })
}

export function invalidField(field: string, message: string): SnsError {
  return new SnsError('invalid_request', {
    detail: `${field} ${message}`,
    fields: [{ field, message }],
  })
}
