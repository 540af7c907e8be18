/**
 * The document's tree in plain JSON Schema, where every schema with a `component` name (see
 * `http/fields`) has become a reference to it, and the schemas by those names.
 */
export function takeComponents(tree: unknown): {
  readonly tree: unknown
  readonly schemas: Readonly<Record<string, unknown>>
} {
  const schemas = new Map<string, unknown>()
  const visit = (node: unknown): unknown => {
    if (typeof node !== 'object' || node === null) return node
    if (Array.isArray(node)) return node.map(visit)
    const { component, ...rest } = plain(node)
    const entries = Object.entries(rest).map(([key, each]) => [key, visit(each)])
    if (typeof component !== 'string') return Object.fromEntries(entries)
    if (!schemas.has(component)) schemas.set(component, Object.fromEntries(entries))
    return { $ref: `#/components/schemas/${component}` }
  }
  const visited = visit(tree)
  return { tree: visited, schemas: Object.fromEntries([...schemas].sort()) }
}

/** A node with our own keywords as JSON Schema says them, lengths in code points. */
function plain(node: object): Readonly<Record<string, unknown>> {
  const { noValidate: _, rule: __, ...known } = node as Record<string, unknown>
  const { characters, secret, shape, formats, ...rest } = known
  const lengths = Array.isArray(characters)
    ? { minLength: characters[0], maxLength: characters[1] }
    : {}
  const format = secret === true ? { format: 'password' } : {}
  const pattern = shape === undefined ? {} : { pattern: shape }
  const anyOf = Array.isArray(formats) ? { anyOf: formats.map((each) => ({ format: each })) } : {}
  return { ...rest, ...lengths, ...format, ...pattern, ...anyOf }
}
