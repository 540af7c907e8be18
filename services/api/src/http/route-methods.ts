export interface RoutePattern {
  readonly method: string
  /** As in `/v1/posts/:id`. */
  readonly path: string
}

export type RouteMethods = ReturnType<typeof createRouteMethods>

/** Knows which methods a path allows, to tell a wrong method (405) from a wrong path (404). */
export function createRouteMethods() {
  let routes: readonly { readonly method: string; readonly pattern: RegExp }[] = []
  return {
    learn(patterns: readonly RoutePattern[]): void {
      routes = patterns
        .filter(({ path }) => !path.includes('*'))
        .map(({ method, path }) => ({ method, pattern: toRegExp(path) }))
    },
    /** In alphabetical order; none where no route has that path. */
    allowed(path: string): readonly string[] {
      const methods = new Set<string>()
      for (const { method, pattern } of routes) {
        if (!pattern.test(path)) continue
        methods.add(method)
        if (method === 'GET') methods.add('HEAD')
      }
      return [...methods].sort()
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
