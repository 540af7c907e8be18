import type { TSchema } from '@sinclair/typebox'
import { ValueErrorType } from '@sinclair/typebox/errors'
import { type FieldProblem, SnsError } from '@sns/shared/errors/sns-error'
import type { ValidationError } from 'elysia'

const FIELDS_MAX = 20
const FIELD_NAME_MAX = 100

/** Every wrong or unknown field by name. A wrong response of our own is our fault, not the caller's. */
export function validationProblem(error: ValidationError): SnsError {
  if (error.type === 'response') return new SnsError('internal', { cause: error })
  // What cannot even be read names nothing.
  if (error.type === 'params') return new SnsError('not_found', { cause: error })
  const fields = new Map<string, string>()
  for (const each of error.all) {
    if (!('schema' in each)) continue
    const field = fieldName(error.type, each.path)
    if (!fields.has(field))
      fields.set(field, message(each.type, each.schema, each.value, each.message))
    if (fields.size >= FIELDS_MAX) break
  }
  const problems: FieldProblem[] = [...fields].map(([field, text]) => ({ field, message: text }))
  const first = problems[0]
  return new SnsError('invalid_request', {
    ...(first ? { detail: `${first.field} ${first.message}` } : {}),
    fields: problems,
  })
}

function fieldName(part: string, path: string): string {
  const name = path
    .split('/')
    .slice(1)
    .map((each) => each.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.')
    .slice(0, FIELD_NAME_MAX)
    .toWellFormed()
  if (part === 'body') return name || 'body'
  return name ? `${part}.${name}` : part
}

function message(type: ValueErrorType, schema: TSchema, value: unknown, fallback: string): string {
  if (type === ValueErrorType.ObjectRequiredProperty) return 'is required'
  if (type === ValueErrorType.ObjectAdditionalProperties) return 'is not a known field'
  if (type === ValueErrorType.ObjectMinProperties) return 'must have at least one field'
  if (type === ValueErrorType.Object) return 'must be a JSON object'
  if (type === ValueErrorType.String) return `must be a string, not ${kindOf(value)}`
  if (typeof schema.rule === 'string') return schema.rule
  return fallback.charAt(0).toLowerCase() + fallback.slice(1)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value)
    ? 'an array'
    : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`
}
