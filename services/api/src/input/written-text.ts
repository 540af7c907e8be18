import { cleanText, MARK_RUN_MAX, type TextProblem } from '@sns/shared/domain/text'
import { invalidField } from './invalid-field'

export const TOO_MANY_MARKS = `must not hold more than ${MARK_RUN_MAX} combining marks in a row`

const MESSAGES: Readonly<Record<TextProblem, (max: number) => string>> = {
  blank: () => 'must hold something to read',
  too_long: (max) => `must be at most ${max} characters`,
  control_character: () => 'must not hold control characters',
  lone_surrogate: () => 'must be well-formed Unicode: it holds half of a surrogate pair',
  long_mark_run: () => TOO_MANY_MARKS,
}

/** What a person wrote, cleaned. Throws `invalid_request` naming `field`. */
export function writtenText(field: string, input: string, max: number): string {
  const result = cleanText(input, max)
  if (!result.ok) throw invalidField(field, MESSAGES[result.problem](max))
  return result.text
}

/** A text that must not break lines, such as a name. */
export function writtenLine(field: string, input: string, max: number): string {
  const text = writtenText(field, input, max)
  if (/[\n\t]/.test(text)) throw invalidField(field, 'must be on one line')
  return text
}
