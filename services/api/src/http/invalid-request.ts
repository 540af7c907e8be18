import type { TSchema } from '@sinclair/typebox'
import { Errors, type ValueError, ValueErrorType } from '@sinclair/typebox/errors'
import { type FieldProblem, SnsError } from '@sns/shared/errors/sns-error'
import {
  contentProblems,
  fieldName,
  type RequestPart,
  type RequestParts,
  type RouteSchemas,
  refuseFields,
} from './input'

const PARTS: readonly RequestPart[] = ['headers', 'query', 'body']
const FIELDS_MAX = 20
const FIELD_NAME_MAX = 100

/** One `invalid_request` that names every wrong field of a request, whatever part it is in and whatever is wrong with it. */
export async function invalidRequest(
  schemas: RouteSchemas,
  given: RequestParts,
): Promise<SnsError> {
  const wrong: FieldProblem[] = []
  for (const part of PARTS) {
    const schema = schemas[part]
    if (!schema) continue
    const shape = shapeProblems(schema, given[part], part)
    wrong.push(...shape, ...(await contentProblems(schema, given[part], part, shape)))
  }
  return wrong.length === 0
    ? new SnsError('invalid_request')
    : refuseFields(wrong.slice(0, FIELDS_MAX))
}

/** Fields that are lacking, unknown or of a wrong type, each named once. */
function shapeProblems(schema: TSchema, value: unknown, part: RequestPart): FieldProblem[] {
  const fields = new Map<string, string>()
  for (const each of Errors(schema, value)) {
    const field = fieldName(part, pathOf(each))
    if (!fields.has(field)) fields.set(field, message(each))
    if (fields.size >= FIELDS_MAX) break
  }
  return [...fields].map(([field, text]) => ({ field, message: text }))
}

function pathOf({ path }: ValueError): string {
  return path
    .split('/')
    .slice(1)
    .map((each) => each.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.')
    .slice(0, FIELD_NAME_MAX)
    .toWellFormed()
}

function message({ type, schema, value, message: fallback }: ValueError): string {
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
