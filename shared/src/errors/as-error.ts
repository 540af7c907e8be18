/** What was thrown, as an `Error`: anything can be thrown, and libraries do. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
