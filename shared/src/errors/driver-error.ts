/** The properties of a driver's error that are safe to log: they hold no user input. */
export const SAFE_PROPERTIES = ['code', 'errno', 'sqlState', 'fatal', 'statusCode'] as const

/**
 * Properties that hold the request, and so user input: mysql2's `sql`, ioredis's `command`, a whole
 * request in `meta`.
 */
const REQUEST_PROPERTIES = ['sql', 'sqlMessage', 'parameters', 'command', 'previousErrors', 'meta']

/** Whether the error still carries the request; its message may then quote from it. */
export function carriesValues(error: Error): boolean {
  return REQUEST_PROPERTIES.some((property) => property in error)
}

/**
 * Removes the request from a driver's error, in place, so that its class and code still tell what it is.
 * Adapters do so before an error leaves them, also as a `cause`. Anything else stays as it is.
 */
export function stripValues<Thrown>(error: Thrown, messageOf = withoutQuoted): Thrown {
  if (!(error instanceof Error) || !carriesValues(error)) return error
  const message = messageOf(error.message)
  const stack = stackWith(error, message)
  for (const property of REQUEST_PROPERTIES) Reflect.deleteProperty(error, property)
  error.message = message
  error.stack = stack
  return error
}

/** Removes everything between the first and the last quote: servers quote values unescaped. */
export function withoutQuoted(message: string): string {
  return message.replace(/'[\s\S]*'/, "'…'").replace(/"[\s\S]*"/, '"…"')
}

/** The error's stack with another message at its head. */
export function stackWith(error: Error, message: string): string {
  const stack = error.stack ?? ''
  const at = stack.indexOf(error.message)
  const head = stack.slice(0, Math.max(0, at))
  return at < 0
    ? `${error.name}: ${message}`
    : `${head}${message}${stack.slice(at + error.message.length)}`
}

/** Makes an `Error` of a thrown value: JavaScript can throw anything. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
