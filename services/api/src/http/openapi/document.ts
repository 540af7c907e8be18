import { toOpenAPISchema, unwrapSchema } from '@elysiajs/openapi/openapi'
import { ERROR_CODES, type ErrorCode } from '@sns/shared/errors/error-codes'
import type { AnyElysia } from 'elysia'
import { version } from '../../../package.json'
import { PROBLEM_CONTENT_TYPE, Problem, problemType } from '../problem'
import { type Operation, TAGS, takeOperation } from './operation'

/** The version of OpenAPI that the generator is asked for. */
const GENERATOR_VERSION = '3.1.2'
/** Patch versions of OpenAPI differ in wording only, so this may differ from the generator's. */
const VERSION = '3.1.1'

/** The objects that the generator makes; this file fills them in. */
interface OperationObject {
  description?: string
  summary?: string
  parameters?: {
    name: string
    in: string
    schema: SchemaObject
    description?: string
    example?: unknown
  }[]
  requestBody?: { required: boolean; content: Record<string, MediaObject> }
  responses?: Record<string, ResponseObject>
}
interface ResponseObject {
  description: string
  headers?: Record<string, unknown>
  content?: Record<string, MediaObject>
}
type SchemaObject = { description?: string; examples?: unknown[] } & Record<string, unknown>
interface MediaObject {
  schema?: SchemaObject
  example?: unknown
  examples?: Record<string, { value: unknown }>
}

/**
 * Builds the OpenAPI document of the app. The generator reads paths, parameters and schemas from
 * the routes. This adds what it leaves out, from each route's `openapi(…)`: examples, errors, one
 * media type a body, named schemas.
 */
export function createOpenApiDocument(app: AnyElysia) {
  const { paths } = toOpenAPISchema(app, undefined, undefined, undefined, GENERATOR_VERSION)
  const bodies = requestBodies(app)
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods ?? {})) {
      complete(operation as OperationObject, bodies.get(`${method} ${path}`))
    }
  }
  const { tree, schemas } = takeComponents(paths)
  return {
    openapi: VERSION,
    info: {
      title: 'sns',
      version,
      description:
        'A self-hosted social feed: accounts, posts, a home feed that loses nothing, and search. Errors are problem+json with a stable `code`; ids are decimal strings; cursors are opaque and never expire.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: [{ bearer: [] }],
    paths: tree,
    components: {
      schemas,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'The `accessToken` of a session',
        },
      },
    },
  }
}

/** The generator names no media type for bodies that a parser of our own reads. */
function requestBodies(app: AnyElysia): ReadonlyMap<string, SchemaObject> {
  const bodies = new Map<string, SchemaObject>()
  for (const { method, path, hooks } of app.routes) {
    const schema = unwrapSchema(hooks.body, undefined, 'input', GENERATOR_VERSION)
    if (!schema) continue
    bodies.set(`${method.toLowerCase()} ${path.replace(/:([^/]+)/g, '{$1}')}`, { ...schema })
  }
  return bodies
}

function complete(target: OperationObject, body: SchemaObject | undefined): void {
  const operation = takeOperation(target)
  target.description ??= target.summary ?? ''
  for (const parameter of target.parameters ?? []) {
    const { description, examples, ...schema } = parameter.schema
    if (parameter.in === 'header') parameter.name = headerName(parameter.name)
    if (description) parameter.description = description
    if (examples?.[0] !== undefined) parameter.example = examples[0]
    parameter.schema = schema
  }
  if (body) {
    const example = operation?.examples?.request
    const media = { schema: body, ...(example === undefined ? {} : { example }) }
    target.requestBody = { required: true, content: { 'application/json': media } }
  }
  target.responses = {
    ...(operation ? success(target, operation) : target.responses),
    ...(operation?.hasEntityTag ? { 304: NOT_MODIFIED } : {}),
    ...failures(operation ? errorCodes(target, operation) : ['internal']),
  }
}

/** `idempotency-key` as `Idempotency-Key`. */
function headerName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())
}

const REQUEST_ID = {
  'X-Request-Id': {
    description: 'The id of this request; yours if you sent a well-formed one',
    schema: { type: 'string' },
  },
}

const NOT_MODIFIED: ResponseObject = {
  description: 'You have it: `If-None-Match` names its `ETag`',
  headers: REQUEST_ID,
}

function success(
  target: OperationObject,
  { examples, answerHeaders = {}, answerType = 'application/json', hasEntityTag }: Operation,
): Record<string, ResponseObject> {
  const [status, response] = Object.entries(target.responses ?? {}).find(([key]) =>
    key.startsWith('2'),
  ) ?? ['204', undefined]
  const [media] = Object.values(response?.content ?? {})
  const schema = media?.schema
  const isList = schema !== undefined && 'nextCursor' in ((schema.properties as object) ?? {})
  const named = {
    ...answerHeaders,
    ...(hasEntityTag
      ? { ETag: 'Send it as `If-None-Match` to get 304 while nothing changed' }
      : {}),
    ...(isList ? { Link: 'The next page, as `<…>; rel="next"`; none at the true end' } : {}),
  }
  const headers = Object.fromEntries(
    Object.entries(named).map(([name, description]) => [
      name,
      { description, schema: { type: 'string' } },
    ]),
  )
  const example = examples?.answer
  return {
    [status]: {
      description: status === '204' ? 'Done' : (schema?.description ?? 'Done'),
      headers: { ...REQUEST_ID, ...headers },
      ...(status === '204'
        ? {}
        : {
            content: {
              [answerType]: {
                ...(schema ? { schema } : {}),
                ...(example === undefined ? {} : { example }),
              },
            },
          }),
    },
  }
}

function errorCodes(target: OperationObject, operation: Operation): readonly ErrorCode[] {
  const hasInput =
    target.requestBody !== undefined ||
    (target.parameters ?? []).some((parameter) => parameter.in !== 'path')
  const codes: ErrorCode[] = [...(operation.errors ?? [])]
  if (!operation.isPublic) codes.push('unauthenticated', 'too_many_requests')
  if (hasInput) codes.push('invalid_request')
  if (target.requestBody) {
    codes.push('malformed_json', 'body_too_large', 'unsupported_media_type')
  }
  codes.push('internal', 'store_unavailable')
  return codes
}

function failures(codes: readonly ErrorCode[]): Record<string, ResponseObject> {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of codes) {
    const { status } = ERROR_CODES[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries([...byStatus].map(([status, each]) => [status, failure(status, each)]))
}

function failure(status: number, codes: readonly ErrorCode[]) {
  const retryAfter = {
    'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } },
  }
  return {
    description: codes.map((code) => `\`${code}\`: ${ERROR_CODES[code].title}`).join('\n\n'),
    headers: { ...REQUEST_ID, ...(status === 429 || status === 503 ? retryAfter : {}) },
    content: {
      [PROBLEM_CONTENT_TYPE]: {
        schema: { ...Problem },
        examples: Object.fromEntries(codes.map((code) => [code, { value: problemExample(code) }])),
      },
    },
  }
}

function problemExample(code: ErrorCode): Problem {
  const { status, title } = ERROR_CODES[code]
  return {
    type: problemType(code),
    title,
    status,
    code,
    ...(code === 'invalid_request'
      ? {
          detail: 'text must hold something to read',
          fields: [{ field: 'text', message: 'must hold something to read' }],
        }
      : {}),
    requestId: '5f0c6c0e-6a4b-4a57-9c7e-0f6d3f1f5b7a',
  }
}

/**
 * The document's tree in plain JSON Schema, where every schema with a `component` name (see
 * `http/fields`) has become a reference to it, and the schemas by those names.
 */
export function takeComponents(tree: unknown): {
  readonly tree: unknown
  readonly schemas: Readonly<Record<string, unknown>>
} {
  const schemas = new Map<string, unknown>()
  const visit = (node: unknown): unknown => {
    if (typeof node !== 'object' || node === null) return node
    if (Array.isArray(node)) return node.map(visit)
    const { component, ...rest } = plain(node)
    const entries = Object.entries(rest).map(([key, each]) => [key, visit(each)])
    if (typeof component !== 'string') return Object.fromEntries(entries)
    if (!schemas.has(component)) schemas.set(component, Object.fromEntries(entries))
    return { $ref: `#/components/schemas/${component}` }
  }
  const visited = visit(tree)
  return { tree: visited, schemas: Object.fromEntries([...schemas].sort()) }
}

/** A node with our own keywords as JSON Schema says them, lengths in code points. */
function plain(node: object): Readonly<Record<string, unknown>> {
  const { noValidate: _, rule: __, check: ___, ...known } = node as Record<string, unknown>
  const { characters, secret, shape, formats, ...rest } = known
  const lengths = Array.isArray(characters)
    ? { minLength: characters[0], maxLength: characters[1] }
    : {}
  const format = secret === true ? { format: 'password' } : {}
  const pattern = shape === undefined ? {} : { pattern: shape }
  const anyOf = Array.isArray(formats) ? { anyOf: formats.map((each) => ({ format: each })) } : {}
  return { ...rest, ...lengths, ...format, ...pattern, ...anyOf }
}
