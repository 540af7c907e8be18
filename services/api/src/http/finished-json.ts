/**
 * A body that is JSON already, as UTF-8, in place of the value that it stands for: `Body` is what clients
 * read. Elysia sends bytes as they are; of a `Response` it would make another one, with a stream between.
 */
export function finishedJson<Body>(
  bytes: Uint8Array,
  headers: Record<string, string | number>,
): Body {
  headers['content-type'] = 'application/json'
  return bytes as Uint8Array & Body
}
