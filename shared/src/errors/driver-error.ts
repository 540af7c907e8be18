/**
 * What of a driver's error says what went wrong. The rest holds what was asked for, and with it what
 * people wrote, and passwords: mysql2's `sql`, ioredis's `command`, all of a request in `meta`.
 */
export const TELLING_PROPERTIES = ['code', 'errno', 'sqlState', 'fatal', 'statusCode'] as const

const ASKED_PROPERTIES = ['sql', 'sqlMessage', 'parameters', 'command', 'previousErrors', 'meta']

/** Whether the error still carries what was asked for; its message may then quote from it. */
export function carriesValues(error: Error): boolean {
  return ASKED_PROPERTIES.some((property) => property in error)
}

/**
 * Takes what was asked for off an error of a driver, in place: who knows it by its class or its code
 * still does. Adapters do so before an error leaves them, as a `cause` too. Anything else stays as it is.
 */
export function stripValues<Thrown>(error: Thrown, messageOf = withoutQuoted): Thrown {
  if (!(error instanceof Error) || !carriesValues(error)) return error
  const message = messageOf(error.message)
  const stack = stackWith(error, message)
  for (const property of ASKED_PROPERTIES) Reflect.deleteProperty(error, property)
  error.message = message
  error.stack = stack
  return error
}

/**
 * Without what stands between the first quote and the last: servers quote values as they are, quotes
 * in them included.
 */
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
