import { Type } from '@sinclair/typebox'

/** Visible ASCII, so that a key looks the same in logs, headers and tables. */
const KEY_PATTERN = '^[\\x21-\\x7e]{1,255}$'

export const IDEMPOTENCY_KEY = 'idempotency-key'

/** The request headers of a route that makes something once, however often the request is repeated. */
export const IdempotencyHeaders = Type.Object({
  [IDEMPOTENCY_KEY]: Type.Optional(
    Type.String({
      description:
        'A repeat of the request with the same key returns what the first one made, with `Idempotency-Replayed: true`',
      pattern: KEY_PATTERN,
      rule: 'must be 1 to 255 visible ASCII characters',
    }),
  ),
})

/** The response header of such a route, for its documentation. */
export const REPLAYED = {
  'Idempotency-Replayed': '`true` where the key was used before for the same request',
}

export function markReplayed(headers: Record<string, string | number>): void {
  headers['idempotency-replayed'] = 'true'
}
