import type { Post } from '@sns/client'
import { useEffect, useRef, useState } from 'preact/hooks'
import { applyToPosts, tell, useChanges } from './changes'
import { PostComposer } from './composer'
import { sns, usePage } from './context'
import { usePages } from './pages'
import { PostList } from './posts'
import { useTitle } from './title'

const FRESH_MAX = 100

/** The home feed. What is new waits behind a button, so that nothing moves while one reads. */
export function Home({ newsCount }: { readonly newsCount: number }) {
  const { t, me } = usePage()
  const heading = useRef<HTMLHeadingElement>(null)
  const [fresh, setFresh] = useState<readonly Post[]>([])
  const [isLong, setLong] = useState(false)
  const pages = usePages<Post>('feed', (page, signal) => sns.readFeed(page, { signal }))
  const onTop = (post: Post) =>
    pages.update((items) => [post, ...items.filter(({ id }) => id !== post.id)])
  useTitle(t.home)
  useChanges(me.id, (change) => {
    if (change.kind === 'written') onTop(change.post)
    else if (change.kind !== 'commented' && change.kind !== 'uncommented')
      setFresh((posts) => applyToPosts(posts, change))
  })
  const newest = fresh[0]?.id ?? pages.items?.[0]?.id

  useEffect(() => {
    // What came while one was elsewhere is new too.
    if (pages.items === null || (newsCount === 0 && !pages.isRecalled)) return
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
  }, [newsCount, pages.isRecalled])

  function showFresh() {
    // More than one page is new: begin at the top.
    if (isLong) pages.restart()
    else {
      pages.update((items) => {
        const known = new Set(items.map(({ id }) => id))
        return [...fresh.filter(({ id }) => !known.has(id)), ...items]
      })
    }
    setFresh([])
    setLong(false)
    scrollTo({ top: 0 })
    // The button that had the focus goes.
    heading.current?.focus({ preventScroll: true })
  }

  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {t.home}
      </h1>
      <PostComposer onPost={(post) => tell(me.id, { kind: 'written', post })} />
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
