import type { TSchema } from '@sinclair/typebox'
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

export type RequestPart = 'headers' | 'query' | 'body'
/** What a route asks of each part of a request. */
export type RouteSchemas = { readonly [Part in RequestPart]?: TSchema }
/** What came. */
export type RequestParts = { readonly [Part in RequestPart]?: unknown }

/** What a field is called in an error: one of the body by its name alone. */
export function fieldName(part: RequestPart, name: string): string {
  if (part === 'body') return name || 'body'
  const whole = part === 'headers' ? 'header' : part
  return name ? `${whole}.${name}` : whole
}

/** Throws one `invalid_request` that names every field that a `check` of the schemas refuses. */
export async function checkContent(schemas: RouteSchemas, given: RequestParts): Promise<void> {
  const wrong: FieldProblem[] = []
  for (const [part, schema] of Object.entries(schemas) as [RequestPart, TSchema][]) {
    wrong.push(...(await contentProblems(schema, given[part], part, [])))
  }
  if (wrong.length > 0) throw refuseFields(wrong)
}

/** What the checks of a schema refuse, but for fields that are `known` to be wrong. */
export async function contentProblems(
  schema: TSchema,
  value: unknown,
  part: RequestPart,
  known: readonly FieldProblem[],
): Promise<readonly FieldProblem[]> {
  if (typeof value !== 'object' || value === null) return []
  const wrong = new Map(known.map((each) => [each.field, each]))
  const run = async (check: unknown, ...args: readonly unknown[]) => {
    if (typeof check !== 'function') return
    try {
      await check(...args)
    } catch (error) {
      if (!isSnsError(error, 'invalid_request')) throw error
      for (const each of error.fields) if (!wrong.has(each.field)) wrong.set(each.field, each)
    }
  }
  for (const [name, property] of Object.entries<TSchema>(schema.properties ?? {})) {
    const field = fieldName(part, name)
    const given = (value as Record<string, unknown>)[name]
    if (given === undefined || wrong.has(field)) continue
    await run(property.check, given, field)
  }
  await run(schema.check, value)
  return [...wrong.values()].slice(known.length)
}

export function invalidField(field: string, message: string): SnsError {
  return refuseFields([{ field, message }])
}

/** Of one field or more. */
export function refuseFields(fields: readonly FieldProblem[]): SnsError {
  const [first] = fields
  return new SnsError('invalid_request', {
    ...(first ? { detail: `${first.field} ${first.message}` } : {}),
    fields,
  })
}
