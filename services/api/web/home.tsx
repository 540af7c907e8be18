import type { Post } from '@sns/client'
import { useEffect, useState } from 'preact/hooks'
import { PostComposer } from './composer'
import { sns, usePage } from './context'
import { usePages } from './pages'
import { PostList } from './posts'

const FRESH_MAX = 100

/** The home feed. What is new waits behind a button, so that nothing moves while one reads. */
export function Home({ newsCount }: { readonly newsCount: number }) {
  const { t } = usePage()
  const [visit, setVisit] = useState(0)
  const [fresh, setFresh] = useState<readonly Post[]>([])
  const [isLong, setLong] = useState(false)
  const pages = usePages<Post>(`feed ${visit}`, (cursor, signal) =>
    sns.readFeed(cursor === undefined ? {} : { cursor }, { signal }),
  )
  const newest = fresh[0]?.id ?? pages.items?.[0]?.id

  useEffect(() => {
    if (newsCount === 0 || pages.items === null) return
    sns.readFeed({ limit: FRESH_MAX, ...(newest ? { after: newest } : {}) }).then(
      ({ items, nextCursor }) => {
        // Two answers may come in either order.
        setFresh((before) => {
          const known = new Set([...before, ...(pages.items ?? [])].map(({ id }) => id))
          const unknown = items.filter(({ id }) => !known.has(id))
          return [...unknown, ...before].sort((a, b) => Number(b.id) - Number(a.id))
        })
        if (nextCursor !== null) setLong(true)
      },
      // The next event asks again.
      () => {},
    )
  }, [newsCount])

  function showFresh() {
    // More than one page is new: begin at the top.
    if (isLong) setVisit(visit + 1)
    else {
      pages.update((items) => {
        const known = new Set(items.map(({ id }) => id))
        return [...fresh.filter(({ id }) => !known.has(id)), ...items]
      })
    }
    setFresh([])
    setLong(false)
    scrollTo({ top: 0 })
  }

  return (
    <>
      <h1 tabIndex={-1}>{t.home}</h1>
      <PostComposer
        onPost={(post) =>
          pages.update((items) => [post, ...items.filter(({ id }) => id !== post.id)])
        }
      />
      <div aria-live="polite">
        {fresh.length > 0 && (
          <button type="button" class="fresh" onClick={showFresh}>
            {t.newPosts(fresh.length)}
          </button>
        )}
      </div>
      <PostList pages={pages} empty={t.emptyFeed} label={t.home} />
    </>
  )
}
