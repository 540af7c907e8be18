import type { ComponentChildren } from 'preact'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { describeProblem, usePage } from './context'

interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | null
}

/** What a list becomes; `isEnd`: all of it is there. */
type Change<Item> = (items: readonly Item[], isEnd: boolean) => readonly Item[]

export interface Pages<Item> {
  /** Null before the first page is there. */
  readonly items: readonly Item[] | null
  readonly problem: string | null
  readonly isEnd: boolean
  readonly more: () => void
  /** Of a list that is not there yet, once it is: it may have been read before what was written since. */
  readonly update: (change: Change<Item>) => void
}

/** One list from its beginning. */
interface Run<Item> {
  readonly key: string
  readonly stop: AbortController
  isLoading: boolean
  /** Changes until the first page is there, then null. */
  waiting: Change<Item>[] | null
}

function beginRun<Item>(key: string): Run<Item> {
  return { key, stop: new AbortController(), isLoading: false, waiting: [] }
}

function changed<Item>({ items, nextCursor }: Page<Item>, change: Change<Item>): Page<Item> {
  return { items: change(items, nextCursor === null), nextCursor }
}

/** A list that grows page by page; `key` begins it anew. */
export function usePages<Item>(
  key: string,
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Item>>,
): Pages<Item> {
  const { t } = usePage()
  const [held, setHeld] = useState<Page<Item> | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const current = useRef(beginRun<Item>(''))

  const read = useCallback(
    async (from: string | undefined) => {
      const run = current.current
      if (run.isLoading) return
      run.isLoading = true
      setProblem(null)
      try {
        const page = await load(from, run.stop.signal)
        if (run !== current.current) return
        const waiting = run.waiting ?? []
        run.waiting = null
        setHeld((before) => {
          const known = from === undefined ? [] : (before?.items ?? [])
          const grown = { ...page, items: [...known, ...page.items] }
          return waiting.reduce<Page<Item>>(changed, grown)
        })
      } catch (error) {
        if (run === current.current && !run.stop.signal.aborted)
          setProblem(describeProblem(error, t))
      } finally {
        run.isLoading = false
      }
    },
    [key, t],
  )

  useEffect(() => {
    const run = beginRun<Item>(key)
    current.current = run
    setHeld(null)
    read(undefined)
    return () => run.stop.abort()
  }, [key])

  const cursor = held?.nextCursor
  return {
    items: held?.items ?? null,
    problem,
    isEnd: cursor === null,
    more: () => cursor !== null && read(cursor),
    update(change) {
      const run = current.current
      // What was written to a list that is shown no more.
      if (run.key !== key) return
      if (run.waiting) run.waiting.push(change)
      else setHeld((before) => before && changed(before, change))
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

  return (
    <>
      {items && items.length > 0 && (
        <ol class="list" aria-label={label}>
          {items.map((item) => (
            <li key={item.id}>{show(item)}</li>
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

/** One thing that is looked up; `key` looks anew. */
export function useOne<Value>(key: string, load: () => Promise<Value>) {
  const { t } = usePage()
  const [value, setValue] = useState<Value | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [tries, setTries] = useState(0)
  useEffect(() => {
    let isCurrent = true
    setProblem(null)
    load().then(
      (loaded) => isCurrent && setValue(loaded),
      (error: unknown) => isCurrent && setProblem(describeProblem(error, t)),
    )
    return () => {
      isCurrent = false
    }
  }, [key, tries])
  return { value, setValue, problem, retry: () => setTries(tries + 1) }
}
