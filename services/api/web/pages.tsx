import type { ComponentChildren } from 'preact'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { describeProblem, isMissing, usePage } from './context'
import { NotFound } from './not-found'
import { recall, remember } from './visits'

interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | null
}

/** Which page of a list to read. */
export interface PageToRead {
  readonly cursor?: string
  readonly limit?: number
}

/** What a list becomes; `isEnd`: all of it is there. */
type Change<Item> = (items: readonly Item[], isEnd: boolean) => readonly Item[]

export interface Pages<Item> {
  /** Null before the first page is there. */
  readonly items: readonly Item[] | null
  /** Whether it is shown as it was when one left it. */
  readonly isRecalled: boolean
  readonly problem: string | null
  readonly isEnd: boolean
  readonly more: () => void
  /** Reads it from its beginning. */
  readonly restart: () => void
  /** Of a list that is not there yet, once it is: it may have been read before what was written since. */
  readonly update: (change: Change<Item>) => void
}

/** One list from its beginning. */
interface Run<Item> {
  readonly at: string
  readonly stop: AbortController
  isLoading: boolean
  /** Changes until the first page is there, then null. */
  waiting: Change<Item>[] | null
  /** How often it was changed here. */
  changes: number
}

function beginRun<Item>(at: string, isThere = false): Run<Item> {
  const waiting = isThere ? null : []
  return { at, stop: new AbortController(), isLoading: false, waiting, changes: 0 }
}

function changed<Item>({ items, nextCursor }: Page<Item>, change: Change<Item>): Page<Item> {
  return { items: change(items, nextCursor === null), nextCursor }
}

interface Shown<Item> {
  /** Which visit shows which list. */
  readonly at: string
  readonly page: Page<Item> | null
  readonly isRecalled: boolean
  readonly problem: string | null
}

/** As many items as one request asks for, and as many as are asked for again where a list is shown as it was left. */
const [LIMIT_MAX, REFRESHED_MAX] = [100, 500]

/**
 * A list that grows page by page; `key` begins it anew. Where one comes back to it, it is there as one left it, and then
 * loses and renews what is not so any more.
 */
export function usePages<Item extends { readonly id: string }>(
  key: string,
  load: (page: PageToRead, signal: AbortSignal) => Promise<Page<Item>>,
): Pages<Item> {
  const { t, visit, returns, begin } = usePage()
  const at = `${visit} ${key}`
  const atFirst = (): Shown<Item> => {
    const page = recall<Page<Item>>(visit, key)
    return { at, page, isRecalled: page !== null, problem: null }
  }
  const [last, setLast] = useState(atFirst)
  const shown = last.at === at ? last : atFirst()
  const current = useRef(beginRun<Item>(''))

  /** Shows something else, and remembers it for whoever comes back. */
  const show = (next: (before: Shown<Item>) => Partial<Shown<Item>>) =>
    setLast((before) => {
      const base = before.at === at ? before : atFirst()
      const after = { ...base, ...next(base) }
      if (after.page) remember(visit, key, after.page)
      return after
    })

  const read = useCallback(
    async (cursor: string | undefined) => {
      const run = current.current
      if (run.isLoading) return
      run.isLoading = true
      const succeed = begin()
      show(() => ({ problem: null }))
      try {
        const page = await load(cursor === undefined ? {} : { cursor }, run.stop.signal)
        if (run !== current.current) return
        succeed()
        const waiting = run.waiting ?? []
        run.waiting = null
        show(({ page: before }) => {
          const known = cursor === undefined ? [] : (before?.items ?? [])
          const grown = { ...page, items: [...known, ...page.items] }
          return { page: waiting.reduce<Page<Item>>(changed, grown) }
        })
      } catch (error) {
        if (run === current.current && !run.stop.signal.aborted)
          show(() => ({ problem: describeProblem(error, t) }))
      } finally {
        run.isLoading = false
      }
    },
    [at, t],
  )

  /** What is there of so many items now; nothing where that cannot be told. */
  async function refresh(run: Run<Item>, count: number): Promise<void> {
    const now = new Map<string, Item>()
    let cursor: string | null | undefined
    try {
      while (cursor !== null && now.size < Math.min(count, REFRESHED_MAX)) {
        const limit = Math.min(LIMIT_MAX, count - now.size)
        const from: PageToRead = cursor === undefined ? { limit } : { limit, cursor }
        const page = await load(from, run.stop.signal)
        for (const item of page.items) now.set(item.id, item)
        cursor = page.nextCursor
      }
    } catch {
      return
    }
    if (run !== current.current || run.changes > 0) return
    show(({ page }) => {
      if (!page) return {}
      // Beyond the last that was seen again, nothing is known.
      const seen = page.items.findLastIndex(({ id }) => now.has(id))
      const isKnown = (index: number) => cursor === null || index <= seen
      const items = page.items
        .filter(({ id }, index) => now.has(id) || !isKnown(index))
        .map((item) => now.get(item.id) ?? item)
      return { page: { ...page, items } }
    })
  }

  useEffect(() => {
    const page = recall<Page<Item>>(visit, key)
    const run = beginRun<Item>(at, page !== null)
    current.current = run
    if (page) refresh(run, page.items.length)
    else read(undefined)
    return () => run.stop.abort()
  }, [at, returns])

  const cursor = shown.page?.nextCursor
  return {
    items: shown.page?.items ?? null,
    isRecalled: shown.isRecalled,
    problem: shown.problem,
    isEnd: cursor === null,
    more: () => cursor !== null && read(cursor),
    restart() {
      current.current.stop.abort()
      current.current = beginRun(at)
      show(() => ({ page: null, isRecalled: false }))
      read(undefined)
    },
    update(change) {
      const run = current.current
      // What was written to a list that is shown no more.
      if (run.at !== at) return
      run.changes += 1
      if (run.waiting) run.waiting.push(change)
      else show(({ page }) => ({ page: page && changed(page, change) }))
    },
  }
}

interface ListProps<Item> {
  readonly pages: Pages<Item>
  readonly empty: string
  readonly show: (item: Item) => ComponentChildren
  readonly label: string
}

/** A list without end: the next page comes when its end is in sight, or by its button. */
export function List<Item extends { readonly id: string }>({
  pages,
  empty,
  show,
  label,
}: ListProps<Item>) {
  const { t } = usePage()
  const end = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLOListElement>(null)
  /** Where in the list the focus is. */
  const focused = useRef<number | null>(null)
  const { items, problem, isEnd, more } = pages
  useEffect(() => {
    if (!end.current || isEnd || problem) return
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) more()
      },
      { rootMargin: '400px' },
    )
    observer.observe(end.current)
    return () => observer.disconnect()
  }, [items?.length, isEnd, problem])

  // Whatever had the focus went with its item: the next one takes it.
  useLayoutEffect(() => {
    if (focused.current === null || document.activeElement !== document.body) return
    const next = list.current?.children.item(Math.min(focused.current, (items?.length ?? 0) - 1))
    const heir = next ?? document.querySelector('h1')
    if (heir instanceof HTMLElement) heir.focus()
  }, [items?.length])

  return (
    <>
      {items && items.length > 0 && (
        <ol
          ref={list}
          class="list"
          aria-label={label}
          onFocusIn={({ target }) => {
            const at = [...(list.current?.children ?? [])].findIndex(
              (each) => target instanceof Node && each.contains(target),
            )
            focused.current = at === -1 ? null : at
          }}
          onFocusOut={({ relatedTarget }) => {
            if (relatedTarget !== null) focused.current = null
          }}
        >
          {items.map((item) => (
            <li key={item.id} tabIndex={-1}>
              {show(item)}
            </li>
          ))}
        </ol>
      )}
      {items?.length === 0 && isEnd && <p class="quiet">{empty}</p>}
      {items === null && !problem && <p class="quiet">{t.loading}</p>}
      {problem && <Problem text={problem} retry={more} />}
      {items !== null && !isEnd && !problem && (
        <div ref={end}>
          <button type="button" onClick={more}>
            {t.more}
          </button>
        </div>
      )}
    </>
  )
}

export function Problem({ text, retry }: { readonly text: string; readonly retry: () => void }) {
  const { t } = usePage()
  return (
    <p role="alert" class="problem">
      {text}{' '}
      <button type="button" onClick={retry}>
        {t.retry}
      </button>
    </p>
  )
}

interface Found<Value> {
  readonly at: string
  readonly value: Value | null
  readonly problem: unknown
}

/** One thing that is looked up; `key` looks anew. Where one comes back to it, it is there at once. */
export function useOne<Value>(key: string, load: () => Promise<Value>) {
  const { visit, returns, begin } = usePage()
  const at = `${visit} ${key}`
  const atFirst = (): Found<Value> => ({ at, value: recall<Value>(visit, key), problem: null })
  const [last, setLast] = useState(atFirst)
  const [tries, setTries] = useState(0)
  const { value, problem } = last.at === at ? last : atFirst()
  function setValue(next: Value) {
    remember(visit, key, next)
    setLast({ at, value: next, problem: null })
  }
  useEffect(() => {
    let isCurrent = true
    const succeed = begin()
    setLast((before) => (before.at === at ? { ...before, problem: null } : atFirst()))
    load().then(
      (loaded) => {
        if (!isCurrent) return
        succeed()
        setValue(loaded)
      },
      (error: unknown) => isCurrent && setLast({ at, value: null, problem: error }),
    )
    return () => {
      isCurrent = false
    }
  }, [at, tries, returns])
  return { value, setValue, problem, retry: () => setTries(tries + 1) }
}

/** In place of what could not be looked up. */
export function Unfound({
  problem,
  retry,
}: {
  readonly problem: unknown
  readonly retry: () => void
}) {
  const { t } = usePage()
  if (isMissing(problem)) return <NotFound t={t} />
  return <Problem text={describeProblem(problem, t)} retry={retry} />
}
