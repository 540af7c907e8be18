/**
 * The headers that clients and the api send each other. Browsers let a page of another origin send and read none of them
 * but those that are named to them, so tests hold both lists to the code.
 */

/** What a request may carry: the default of `CORS_HEADERS`. */
export const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-None-Match',
  'Last-Event-ID',
  'X-Request-Id',
] as const

/** What an answer may carry, beyond what browsers show in any case. */
export const RESPONSE_HEADERS = [
  'Allow',
  'ETag',
  'Idempotency-Replayed',
  'Link',
  'Location',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
] as const
