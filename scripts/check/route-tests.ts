import { join } from 'node:path'
import { ROUTES } from '@sns/client/contract'
import { Glob } from 'bun'

/** Where requests to the api are made. */
const TESTS = ['services/api/src/**/*.test.ts', 'services/api/src/testing/*.ts']
/** A parameter as tests write it: a value, or what stands for one. */
const VALUE = '(?:\\$\\{[^}]*\\}+|[^/\'"`?$]+)'

/**
 * The routes, as `GET /v1/posts/{id}`, that no test of the api asks: neither by their path, as a literal, in a file
 * that uses their method, nor by a variable that ends with the last part of it.
 */
export async function findUntestedRoutes(
  root: string,
  routes: readonly string[] = Object.values(ROUTES),
): Promise<readonly string[]> {
  const texts: string[] = []
  for (const pattern of TESTS) {
    for await (const file of new Glob(pattern).scan({ cwd: root }))
      texts.push(await Bun.file(join(root, file)).text())
  }
  return routes.filter((route) => {
    const [method = '', path = ''] = route.split(' ')
    const asked = new RegExp(`['"\`]${patternOf(path)}(?=['"\`?])`)
    return !texts.some((text) => asked.test(text) && text.includes(`'${method}'`))
  })
}

/** The path, or its end after a variable that holds the beginning: `${post}/like`. */
function patternOf(path: string): string {
  const parts = path.split('/').slice(1)
  const source = (some: readonly string[]) =>
    some.map((part) => (part.startsWith('{') ? VALUE : RegExp.escape(part))).join('/')
  const whole = `/${source(parts)}`
  const ends = parts.flatMap((_, at) =>
    at >= 2 ? [`\\$\\{[^}]*\\}/${source(parts.slice(at))}`] : [],
  )
  return `(?:${[whole, ...ends].join('|')})`
}
