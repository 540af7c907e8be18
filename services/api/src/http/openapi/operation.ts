import { type TSchema, Type } from '@sinclair/typebox'
import type { ErrorCode } from '@sns/shared/errors/error-codes'
import { Problem } from '../problem'

export const TAGS = {
  accounts: 'Sign up, sign in, your own account',
  users: 'Other users and your relationships with them',
  posts: 'Writing and reading posts',
  engagement: 'Likes and comments',
  feed: 'Your home feed',
  notifications: 'What others did about you',
  events: 'What is new, as it happens',
  search: 'Full-text search',
  status: 'For operators and their machines',
} as const

/** What the documentation of a route needs beyond its schemas. */
export interface Operation {
  /** The name of the operation in generated clients; never changes. */
  readonly id: string
  readonly tag: keyof typeof TAGS
  readonly summary: string
  readonly description: string
  /** Needs no bearer token. */
  readonly isPublic?: true
  /** The route's own errors. Those of every route with a token, a body or a query are added. */
  readonly errors?: readonly ErrorCode[]
  readonly examples?: { readonly request?: unknown; readonly answer?: unknown }
  /** Answers an `If-None-Match` that fits with 304. */
  readonly hasEntityTag?: true
  /** The media type of the answer; JSON if absent. */
  readonly answerType?: string
  /** Headers of the successful response, each with its meaning. */
  readonly answerHeaders?: Readonly<Record<string, string>>
}

export const LOCATION = 'The path of what was made'

const OPERATION = 'x-operation'

export function openapi(operation: Operation) {
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    description: operation.description,
    security: operation.isPublic ? [] : [{ bearer: [] }],
    [OPERATION]: operation,
  }
}

/** Removes from an operation object what `openapi` put there, and returns it. */
export function takeOperation(target: object): Operation | null {
  if (!(OPERATION in target)) return null
  const operation = target[OPERATION] as Operation
  delete target[OPERATION]
  return operation
}

/**
 * Types and documents a response without validating it at run time: the compiler and the tests
 * check it.
 */
export function unchecked<Schema extends TSchema>(schema: Schema): Schema {
  return { ...schema, noValidate: true }
}

const problem = unchecked(Problem)

/**
 * The error responses of any route; each route's documentation lists its own. Not `as const`: that
 * would make the statuses strings in clients' types.
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
