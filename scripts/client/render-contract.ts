/** The parts of an OpenAPI document that the client's types are made of. */
export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

interface OpenApiOperation {
  readonly operationId: string
  readonly summary: string
  readonly description: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >
}

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly description?: string
  readonly schema: Schema
}

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly const?: string
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

/** `client/src/contract.ts`: the operations and schemas of the api as TypeScript. */
export function renderContract({ paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths)
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
    )
    .filter(({ operation }) => !isStream(operation))
    .sort((a, b) => a.operation.operationId.localeCompare(b.operation.operationId))
  return `/* Made from the OpenAPI document by scripts/client-contract.ts. Change the routes, not this file. */

${Object.entries(components.schemas)
  .map(([name, schema]) => `${comment(schema.description)}export ${declaration(name, schema)}\n`)
  .join('\n')}
/** What each operation takes and answers. */
export interface Operations {
${operations
  .map(
    ({ operation }) =>
      `${comment(`${operation.summary}. ${operation.description}`)}${operation.operationId}: { input: ${input(operation)}; answer: ${answer(operation)} }`,
  )
  .join('\n')}
}

/** Where each operation is. */
export const ROUTES = {
${operations
  .map(
    ({ method, path, operation }) => `${operation.operationId}: '${method.toUpperCase()} ${path}',`,
  )
  .join('\n')}
} as const satisfies Record<keyof Operations, string>

/** The operations that take an \`Idempotency-Key\`. */
export const KEYED: readonly (keyof Operations)[] = [${operations
    .filter(({ operation }) => operation.parameters?.some(isIdempotencyKey))
    .map(({ operation }) => `'${operation.operationId}'`)
    .join(', ')}]
`
}

function isIdempotencyKey({ in: place, name }: Parameter): boolean {
  return place === 'header' && name.toLowerCase() === 'idempotency-key'
}

/** The client reads streams by code of its own. */
function isStream({ responses }: OpenApiOperation): boolean {
  return Object.values(responses).some(({ content }) => content && 'text/event-stream' in content)
}

function declaration(name: string, schema: Schema): string {
  return schema.properties ? `interface ${name} ${type(schema)}` : `type ${name} = ${type(schema)}`
}

/** Path, query, body and headers in one object: their names never meet. */
function input({ operationId, parameters = [], requestBody }: OpenApiOperation): string {
  const fields = parameters.map((parameter) =>
    field(
      camelCase(parameter.name),
      parameter.required === true || parameter.in === 'path',
      parameter.schema,
      parameter.description,
    ),
  )
  const names = parameters.map(({ name }) => camelCase(name))
  if (new Set(names).size < names.length) throw new Error(`${operationId} takes a name twice`)
  const body = requestBody ? type(requestBody.content['application/json']?.schema ?? {}) : null
  const given = fields.length > 0 ? `{\n${fields.join('\n')}\n}` : null
  return [given, body].filter((each) => each !== null).join(' & ') || 'Record<never, never>'
}

function answer({ operationId, responses }: OpenApiOperation): string {
  const success = Object.entries(responses).find(([status]) => status.startsWith('2'))
  if (!success) throw new Error(`${operationId} answers nothing`)
  const content = success[1].content?.['application/json']
  return content?.schema ? type(content.schema) : 'undefined'
}

function field(name: string, isRequired: boolean, schema: Schema, description?: string): string {
  return `${comment(description ?? schema.description)}${name}${isRequired ? '' : '?'}: ${type(schema)}${isRequired ? '' : ' | undefined'}`
}

function type(schema: Schema): string {
  if (schema.$ref) return schema.$ref.split('/').at(-1) ?? ''
  if (schema.const !== undefined) return `'${schema.const}'`
  if (schema.enum) return schema.enum.map((each) => `'${each}'`).join(' | ')
  const kinds = [schema.type].flat().filter((each) => each !== undefined)
  if (kinds.length > 1) return kinds.map((each) => type({ ...schema, type: each })).join(' | ')
  switch (kinds[0]) {
    case 'string':
    case 'boolean':
    case 'null':
      return kinds[0]
    case 'integer':
    case 'number':
      return 'number'
    case 'array':
      return `(${type(schema.items ?? {})})[]`
    case 'object': {
      const required = new Set(schema.required)
      const fields = Object.entries(schema.properties ?? {})
      return `{\n${fields.map(([name, each]) => field(name, required.has(name), each)).join('\n')}\n}`
    }
    default:
      if (schema.anyOf) return schema.anyOf.map(type).join(' | ')
      throw new Error(`no type for ${JSON.stringify(schema)}`)
  }
}

function camelCase(name: string): string {
  return name.toLowerCase().replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function comment(text: string | undefined): string {
  return text ? `/** ${text.replaceAll('*/', '* /').replaceAll('\n', ' ')} */\n` : ''
}
