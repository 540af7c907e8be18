import type { RouteSchemas } from './input'

export interface KnownRoute {
  readonly method: string
  /** As in `/v1/posts/:id`. */
  readonly path: string
  readonly hooks: unknown
}

export type KnownRoutes = ReturnType<typeof createKnownRoutes>

/** The routes of the app, for those who must be told what was wrong with a request. */
export function createKnownRoutes() {
  let routes: readonly (KnownRoute & { readonly pattern: RegExp })[] = []
  return {
    learn(known: readonly KnownRoute[]): void {
      routes = known
        .filter(({ path }) => !path.includes('*'))
        .map((route) => ({ ...route, pattern: toRegExp(route.path) }))
    },
    /** The methods that a path allows, to tell a wrong method (405) from a wrong path (404). In alphabetical order. */
    allowed(path: string): readonly string[] {
      const methods = new Set<string>()
      for (const { method, pattern } of routes) {
        if (!pattern.test(path)) continue
        methods.add(method)
        if (method === 'GET') methods.add('HEAD')
      }
      return [...methods].sort()
    },
    /** What the route of a request asks of it; `path` as it was given to `learn`. */
    schemas(method: string, path: string): RouteSchemas {
      const asked = method === 'HEAD' ? 'GET' : method
      const route = routes.find((each) => each.method === asked && each.path === path)
      return (route?.hooks ?? {}) as RouteSchemas
    },
  }
}

function toRegExp(path: string): RegExp {
  const source = path
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : RegExp.escape(part)))
    .join('/')
  return new RegExp(`^${source}/?$`)
}
