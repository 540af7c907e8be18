import type { TestApi } from './test-api'

/** A route as the OpenAPI document describes it. */
export interface DocumentedRoute {
  /** `POST /v1/posts/{id}/comments` */
  readonly name: string
  readonly method: string
  /** With `{name}` for each parameter. */
  readonly path: string
  readonly params: readonly string[]
  readonly query: readonly string[]
  readonly headers: readonly string[]
  /** Fields of its JSON body; null where it takes none. */
  readonly body: readonly string[] | null
  readonly isPublic: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: a document of many shapes
type Json = any

/** Every route of the document, so that a new one is covered by itself. */
export async function documentedRoutes(api: TestApi): Promise<readonly DocumentedRoute[]> {
  const { body: document } = await api.request('GET', '/swagger/json')
  return Object.entries<Json>(document.paths).flatMap(([path, operations]) =>
    Object.entries<Json>(operations).map(([method, operation]) => {
      const named = (place: string): string[] =>
        (operation.parameters ?? [])
          .filter((each: Json) => each.in === place)
          .map(({ name }: Json) => name)
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        params: named('path'),
        query: named('query'),
        headers: named('header'),
        body: bodyFields(document, operation),
        isPublic: (operation.security ?? document.security).length === 0,
      }
    }),
  )
}

function bodyFields(document: Json, operation: Json): readonly string[] | null {
  const schema = operation.requestBody?.content['application/json']?.schema
  if (schema === undefined) return null
  const known = schema.$ref ? document.components.schemas[schema.$ref.split('/').at(-1)] : schema
  return Object.keys(known.properties)
}

/** The path with its parameters filled in; those that are not named get `others`. */
export function pathOf(
  { path }: DocumentedRoute,
  params: Readonly<Record<string, string>>,
  others = '1',
): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? others)
}
