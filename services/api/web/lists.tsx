import type { Post, User } from '@sns/client'
import { useState } from 'preact/hooks'
import { sns, usePage } from './context'
import { usePages } from './pages'
import { People } from './people'
import { PostList } from './posts'
import { Link, navigate } from './router'

export function Tag({ tag }: { readonly tag: string }) {
  const { t } = usePage()
  const pages = usePages<Post>(`tag ${tag}`, (cursor, signal) =>
    sns.listTagPosts({ tag, cursor }, { signal }),
  )
  return (
    <>
      <h1 tabIndex={-1}>#{tag}</h1>
      <PostList pages={pages} empty={t.noPosts} label={`#${tag}`} />
    </>
  )
}

export function Liked() {
  const { t } = usePage()
  const pages = usePages<Post>('liked', (cursor, signal) =>
    sns.listLikedPosts({ cursor }, { signal }),
  )
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
  const pages = usePages<Post>(`posts ${q}`, (cursor, signal) =>
    sns.searchPosts({ q, cursor }, { signal }),
  )
  return <PostList pages={pages} empty={t.nothingFound} label={t.posts} />
}

function FoundPeople({ q }: { readonly q: string }) {
  const { t } = usePage()
  const pages = usePages<User>(`people ${q}`, (cursor, signal) =>
    sns.searchUsers({ q, cursor }, { signal }),
  )
  return <People pages={pages} empty={t.nothingFound} label={t.people} />
}
