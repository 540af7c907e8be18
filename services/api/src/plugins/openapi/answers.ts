import { type TSchema, Type } from '@sinclair/typebox'
import { Problem } from '@sns/shared/contract/http/problem'

/** Types and documents an answer without checking it on the way out: the compiler has, and tests do. */
export function unchecked<Schema extends TSchema>(schema: Schema): Schema {
  return { ...schema, noValidate: true }
}

const problem = unchecked(Problem)

/**
 * What any route may answer instead; which of them it does, its documentation says. Not `as const`:
 * that would make the statuses strings in the types of clients.
 */
export const PROBLEMS = {
  400: problem,
  401: problem,
  403: problem,
  404: problem,
  409: problem,
  413: problem,
  415: problem,
  422: problem,
  429: problem,
  500: problem,
  503: problem,
}

export const NO_CONTENT = { 204: Type.Void(), ...PROBLEMS }
