import type { Post, User } from '@sns/client'
import { useState } from 'preact/hooks'
import { sns, usePage } from './context'
import { usePages } from './pages'
import { People } from './people'
import { PostList } from './posts'
import { Link, navigate } from './router'
import { useTitle } from './title'

export function Tag({ tag }: { readonly tag: string }) {
  const { t } = usePage()
  const pages = usePages<Post>(`tag ${tag}`, (page, signal) =>
    sns.listTagPosts({ tag, ...page }, { signal }),
  )
  useTitle(`#${tag}`)
  return (
    <>
      <h1 tabIndex={-1} dir="auto">
        #{tag}
      </h1>
      <PostList pages={pages} empty={t.noPosts} label={`#${tag}`} />
    </>
  )
}

export function Liked() {
  const { t } = usePage()
  const pages = usePages<Post>('liked', (page, signal) => sns.listLikedPosts(page, { signal }))
  useTitle(t.liked)
  return (
    <>
      <h1 tabIndex={-1}>{t.liked}</h1>
      <PostList pages={pages} empty={t.noPosts} label={t.liked} />
    </>
  )
}

/** Posts or people that match; what was asked for is in the address. */
export function Search({ q, kind }: { readonly q: string; readonly kind: 'posts' | 'people' }) {
  const { t } = usePage()
  const [words, setWords] = useState(q)
  useTitle(q === '' ? t.search : `${q} · ${t.search}`)
  const to = (next: string, which: string) =>
    `/search?q=${encodeURIComponent(next)}${which === 'people' ? '&in=people' : ''}`
  return (
    <>
      <h1 tabIndex={-1}>{t.search}</h1>
      <search>
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault()
            if (words.trim()) navigate(to(words.trim(), kind))
          }}
        >
          <input
            type="search"
            dir="auto"
            aria-label={t.searchFor}
            placeholder={t.searchHint}
            maxLength={200}
            value={words}
            onInput={(event) => setWords(event.currentTarget.value)}
          />
          <button type="submit" class="main">
            {t.search}
          </button>
        </form>
      </search>
      {q && (
        <>
          <nav class="tabs" aria-label={t.search}>
            <Link to={to(q, 'posts')}>{t.posts}</Link>
            <Link to={to(q, 'people')}>{t.people}</Link>
          </nav>
          {kind === 'people' ? <FoundPeople q={q} /> : <FoundPosts q={q} />}
        </>
      )}
    </>
  )
}

function FoundPosts({ q }: { readonly q: string }) {
  const { t } = usePage()
  const pages = usePages<Post>(`posts ${q}`, (page, signal) =>
    sns.searchPosts({ q, ...page }, { signal }),
  )
  return <PostList pages={pages} empty={t.nothingFound} label={t.posts} />
}

function FoundPeople({ q }: { readonly q: string }) {
  const { t } = usePage()
  const pages = usePages<User>(`people ${q}`, (page, signal) =>
    sns.searchUsers({ q, ...page }, { signal }),
  )
  return <People pages={pages} empty={t.nothingFound} label={t.people} />
}
