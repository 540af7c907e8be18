/** Paths of the page, as routes name them; the api serves it at each. */
export const PATHS = [
  '/',
  '/users/:name',
  '/posts/:name',
  '/tags/:name',
  '/search',
  '/notifications',
  '/likes',
  '/settings',
] as const

export interface Place {
  readonly path: (typeof PATHS)[number]
  /** What the path names, decoded; empty where it names nothing. */
  readonly name: string
}

/** What a path shows; null where there is nothing, or what it names is not well-formed. */
export function placeOf(pathname: string): Place | null {
  const [, kind = '', raw, ...more] = pathname.split('/')
  const path = PATHS.find((each) => each === (raw === undefined ? `/${kind}` : `/${kind}/:name`))
  const name = decoded(raw ?? '')
  if (!path || name === null || more.length > 0 || (raw !== undefined && name === '')) return null
  return { path, name }
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
