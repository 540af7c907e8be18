import { finishedJson } from './body'

interface Answering {
  readonly request: Request
  readonly set: { headers: Record<string, string | number>; status?: number | string }
}

/**
 * Answers with `value` and an `ETag` made of what it says, or with 304 and no body to a client that has it
 * (RFC 9110, section 13.1.2). It saves the bytes, not the look at the stores. Another viewer's answer has
 * another tag wherever it differs.
 */
export function tagged<Value extends object>(value: Value, { request, set }: Answering): Value {
  const body = Buffer.from(JSON.stringify(value))
  const tag = `"${Bun.hash(body).toString(36)}"`
  set.headers.etag = tag
  set.headers['cache-control'] = 'private, no-cache'
  if (!isKnown(tag, request.headers.get('if-none-match'))) return finishedJson(body, set.headers)
  set.status = 304
  return '' as string & Value
}

/** Weak comparison, as `If-None-Match` asks for. */
function isKnown(tag: string, known: string | null): boolean {
  if (known === null) return false
  const tags = known.split(',').map((each) => each.trim().replace(/^W\//, ''))
  return tags.includes(tag) || tags.includes('*')
}
