import type { ComponentChildren } from 'preact'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { describeProblem, usePage } from './context'

interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | null
}

export interface Pages<Item> {
  /** Null before the first page is there. */
  readonly items: readonly Item[] | null
  readonly problem: string | null
  readonly isEnd: boolean
  readonly more: () => void
  readonly update: (change: (items: readonly Item[]) => readonly Item[]) => void
}

/** A list that grows page by page; `key` begins it anew. */
export function usePages<Item>(
  key: string,
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Item>>,
): Pages<Item> {
  const { t } = usePage()
  const [items, setItems] = useState<readonly Item[] | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [cursor, setCursor] = useState<string | null | undefined>(undefined)
  const current = useRef({ key: '', isLoading: false, stop: new AbortController() })

  const read = useCallback(
    async (from: string | undefined) => {
      const run = current.current
      if (run.isLoading) return
      run.isLoading = true
      setProblem(null)
      try {
        const page = await load(from, run.stop.signal)
        if (run !== current.current) return
        setItems((before) => [...(from === undefined ? [] : (before ?? [])), ...page.items])
        setCursor(page.nextCursor)
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
    const run = { key, isLoading: false, stop: new AbortController() }
    current.current = run
    setItems(null)
    setCursor(undefined)
    read(undefined)
    return () => run.stop.abort()
  }, [key])

  return {
    items,
    problem,
    isEnd: cursor === null,
    more: () => cursor !== null && read(cursor),
    update: (change) => setItems((before) => (before ? change(before) : before)),
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
