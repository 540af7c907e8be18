import { carriesValues, stackWith, TELLING_PROPERTIES, withoutQuoted } from '../errors/driver-error'

/** Deep enough for every chain of causes of ours, and an end to circles. */
const DEPTH = 6
const MOST_ERRORS = 5

/**
 * An error as the log shows it: its type, message, stack and codes, and the same of what caused it.
 * Other properties stay out, since drivers keep statements with their values there, and so does what
 * the message of such an error quotes.
 */
export function loggedError(thrown: unknown, depth = DEPTH): unknown {
  if (!(thrown instanceof Error)) return thrown
  const message = carriesValues(thrown) ? withoutQuoted(thrown.message) : thrown.message
  const logged: Record<string, unknown> = {
    type: thrown.constructor.name,
    message,
    stack: stackWith(thrown, message),
  }
  for (const property of TELLING_PROPERTIES) {
    const value: unknown = Reflect.get(thrown, property)
    if (typeof value !== 'object' && typeof value !== 'function') logged[property] = value
  }
  if (depth === 0) return logged
  if (thrown.cause instanceof Error) logged.cause = loggedError(thrown.cause, depth - 1)
  if (thrown instanceof AggregateError) {
    logged.errors = thrown.errors.slice(0, MOST_ERRORS).map((each) => loggedError(each, depth - 1))
  }
  return logged
}
