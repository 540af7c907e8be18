import { readTab, writeTab } from './tab-storage'

/*
 * What each entry of the history showed and where it was scrolled to, so that Back and Forward lead to what one left. It
 * survives that the page is left for another site, and not that it is loaded anew by hand, which asks for what is new.
 */

interface Visit {
  y: number
  /** Lists and what else was read, by its key. */
  readonly values: Map<string, unknown>
}

const STORE = 'sns.visits'
const VISITS_MAX = 20

interface Stored {
  readonly user: string
  readonly visits: readonly (readonly [string, number, readonly (readonly [string, unknown])[]])[]
}

const visits = new Map<string, Visit>()
let owner = ''
let shown = arrive()

history.scrollRestoration = 'manual'
restore()
addEventListener('pagehide', store)

/** The entry of the history that is shown; a new one gets a name. */
function arrive(): string {
  const known: unknown = history.state?.visit
  if (typeof known === 'string') return known
  const name = `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`
  history.replaceState({ visit: name }, '')
  return name
}

/** Goes to a new entry, or comes to one that the browser went to; gives its name. */
export function visit(path: string | null): string {
  rememberScroll()
  if (path !== null) history.pushState(null, '', path)
  // A jump within the page is the same visit.
  else if (history.state === null) history.replaceState({ visit: shown }, '')
  shown = arrive()
  return shown
}

export function currentVisit(): string {
  return shown
}

/** How far the entry was scrolled when it was left; null where it was not left yet. */
export function scrollOf(name: string): number | null {
  return visits.get(name)?.y ?? null
}

export function recall<Value>(name: string, key: string): Value | null {
  return (visits.get(name)?.values.get(key) as Value | undefined) ?? null
}

export function remember(name: string, key: string, value: unknown): void {
  visitOf(name).values.set(key, value)
}

/** Changes whatever is remembered. */
export function changeRemembered(change: (value: unknown) => unknown): void {
  for (const { values } of visits.values()) {
    for (const [key, value] of values) values.set(key, change(value))
  }
}

/** Whose visits are remembered from now on; those of somebody else are forgotten. */
export function claimVisits(user: string): void {
  if (user === owner) return
  forgetVisits()
  owner = user
}

export function forgetVisits(): void {
  owner = ''
  visits.clear()
  writeTab(STORE, null)
}

/** Forgets what other entries than the shown one listed: it is read anew. */
export function forgetLists(user: string): void {
  const here = visits.get(shown)
  forgetVisits()
  owner = user
  if (here) visits.set(shown, here)
}

function visitOf(name: string): Visit {
  const known = visits.get(name)
  if (known) return known
  const made = { y: 0, values: new Map() }
  visits.set(name, made)
  const [oldest] = visits.keys()
  if (visits.size > VISITS_MAX && oldest !== undefined) visits.delete(oldest)
  return made
}

function rememberScroll(): void {
  visitOf(shown).y = scrollY
}

function store(): void {
  rememberScroll()
  const kept = [...visits].map(([name, { y, values }]) => [name, y, [...values]] as const)
  writeTab(STORE, { user: owner, visits: kept } satisfies Stored)
}

function restore(): void {
  const stored = readTab<Stored>(STORE)
  const [entry] = performance.getEntriesByType('navigation')
  const isReload = (entry as PerformanceNavigationTiming | undefined)?.type === 'reload'
  if (stored === null) return
  owner = stored.user
  for (const [name, y, values] of stored.visits) {
    if (!(isReload && name === shown)) visits.set(name, { y, values: new Map(values) })
  }
}
