/** An object of JSON that was not checked. */
export type Fields = Readonly<Record<string, unknown>>

/** The value as an object; an empty one for anything else. */
export function record(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

/** The value as an array; of one item, where it is none, as JSON-LD allows. */
export function list(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

/** The value as a text; an empty one for anything else. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
