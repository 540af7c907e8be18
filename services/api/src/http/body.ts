import { SnsError } from '@sns/shared/errors/sns-error'
import { invalidField } from './input'
import { jsonShape } from './json-shape'
import type { Limited, RateLimits } from './rate-limits'
import type { RequestContexts } from './request-context'

const BODY_MAX_BYTES = 64 * 1024
/** Bodies here are flat; a deeper one tries to exhaust a recursive parser. */
const DEPTH_MAX = 8
/** And small; the framework takes as long as tens of milliseconds to say what is wrong with a wide one. */
const VALUES_MAX = 1_000
const NAME_MAX = 100

export interface BodiesDeps {
  readonly contexts: RequestContexts
  readonly limits: Pick<RateLimits, 'address' | 'signIn' | 'signUp'>
}

/** How routes read a body: the `parse` of each that has one. */
export type Bodies = ReturnType<typeof createBodies>

/**
 * Bodies as JSON, each request counted by its address before a byte of its body is read. A request without any body
 * reads as `{}`, so that its missing fields are named. Errors: `too_many_requests`, `unsupported_media_type`,
 * `body_too_large` (whether or not the length was announced), `malformed_json`, `invalid_request` (nested too deeply).
 */
export function createBodies({ contexts, limits }: BodiesDeps) {
  function counted(count: (limited: Limited) => Promise<void>) {
    return async ({ request, set }: { request: Request; set: Pick<Limited, 'headers'> }) => {
      await count({ context: contexts.of(request), headers: set.headers })
      return readJson(request)
    }
  }
  return {
    /** For routes that need an account. */
    write: counted((limited) => limits.address('write', limited)),
    signIn: counted(limits.signIn),
    signUp: counted(limits.signUp),
  }
}

async function readJson(request: Request): Promise<unknown> {
  const contentType = mediaType(request.headers.get('content-type'))
  if (request.body === null && contentType === null) return {}
  if (contentType !== null && contentType !== 'application/json') {
    throw new SnsError('unsupported_media_type', { detail: 'Send Content-Type: application/json' })
  }
  if (Number(request.headers.get('content-length')) > BODY_MAX_BYTES) throw tooLarge()
  const bytes = await readBounded(request)
  if (contentType === null && bytes.length === 0) return {}
  if (contentType === null) {
    throw new SnsError('unsupported_media_type', { detail: 'Send Content-Type: application/json' })
  }
  const { depth, values, isClosed } = jsonShape(bytes)
  if (!isClosed) throw new SnsError('malformed_json')
  if (depth > DEPTH_MAX) throw invalidField('body', 'is nested too deeply')
  if (values > VALUES_MAX) throw invalidField('body', `holds more than ${VALUES_MAX} values`)
  const value = parse(bytes)
  checkNames(value)
  return value
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    const detail = cause instanceof TypeError ? 'It is not valid UTF-8' : undefined
    throw new SnsError('malformed_json', { ...(detail ? { detail } : {}), cause })
  }
}

async function readBounded(request: Request): Promise<Uint8Array> {
  if (request.headers.has('content-length')) return await request.bytes()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.length
    if (size > BODY_MAX_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(): SnsError {
  return new SnsError('body_too_large', { detail: `At most ${BODY_MAX_BYTES} bytes` })
}

function mediaType(header: string | null): string | null {
  return header === null ? null : (header.split(';')[0] ?? '').trim().toLowerCase()
}

/**
 * Refuses names that no field has and that cost much to refuse later: the framework puts values of the wrong type into its
 * messages, and fails at an object that cannot be written as text; a name is escaped, part by part.
 */
function checkNames(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, each] of Object.entries(value)) {
    if (name === 'toString') throw invalidField('body', 'has a field named toString')
    if (name.length > NAME_MAX)
      throw invalidField('body', 'has a field with a name that is too long')
    checkNames(each)
  }
}

export interface EncodedPage {
  /** A page of a list as UTF-8 JSON. */
  readonly body: Uint8Array
  readonly nextCursor: string | null
}

/**
 * Answers with JSON that is already encoded as UTF-8. `Body` is the type that clients read. Elysia
 * sends bytes as they are; a `Response` it would wrap in another one, with a stream between.
 */
export function finishedJson<Body>(
  bytes: Uint8Array,
  headers: Record<string, string | number>,
): Body {
  headers['content-type'] = 'application/json'
  return bytes as Uint8Array & Body
}
