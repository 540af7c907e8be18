/**
 * Every error that a client can get: its code, which never changes, the HTTP status and the title that all
 * its responses have. docs/06-errors.md says what a client does about each.
 */
export const ERROR_CODES = {
  invalid_request: { status: 422, title: 'The request is invalid' },
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  invalid_cursor: { status: 422, title: 'The cursor is not valid for this list' },
  unauthenticated: { status: 401, title: 'A valid bearer token is required' },
  bad_credentials: { status: 401, title: 'The username or the password is wrong' },
  refresh_token_invalid: {
    status: 401,
    title: 'The refresh token is unknown, expired or revoked',
  },
  refresh_token_reused: {
    status: 401,
    title: 'The refresh token was already used; its session has ended',
  },
  forbidden: { status: 403, title: 'Only the owner may do this' },
  blocked: { status: 403, title: 'One of the two accounts has blocked the other' },
  not_found: { status: 404, title: 'Not found' },
  route_not_found: { status: 404, title: 'No such route' },
  method_not_allowed: { status: 405, title: 'The route does not allow this method' },
  username_taken: { status: 409, title: 'The username is taken' },
  idempotency_key_reused: {
    status: 409,
    title: 'The Idempotency-Key was already used for another request',
  },
  self_target: { status: 422, title: 'You cannot follow, block or mute yourself' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Internal server error' },
  store_unavailable: { status: 503, title: 'Temporarily unavailable; retry later' },
} as const satisfies Record<string, { status: number; title: string }>

export type ErrorCode = keyof typeof ERROR_CODES
