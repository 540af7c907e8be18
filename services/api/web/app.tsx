import type { Session } from '@sns/client'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Context, describeProblem, type PageContext, sns, usePage, watchSession } from './context'
import { Home } from './home'
import { Liked, Search, Tag } from './lists'
import { hearEvents } from './live'
import { Notifications } from './notifications'
import { PostPage } from './post'
import { Profile } from './profile'
import { Link, useAddress } from './router'
import { Settings } from './settings'
import { SignIn } from './sign-in'
import { LANGUAGES, storedLanguage, storeLanguage } from './texts'

export function App() {
  const [session, setSession] = useState<Session | null>(sns.session)
  const [language, setLanguage] = useState(storedLanguage)
  const [message, setMessage] = useState('')
  const t = LANGUAGES[language]
  useEffect(() => watchSession(setSession), [])
  useEffect(() => {
    document.documentElement.lang = language
    storeLanguage(language)
  }, [language])

  const context = useMemo<PageContext | null>(
    () =>
      session && {
        t,
        language,
        me: session.user,
        say: setMessage,
        async attempt(work) {
          try {
            return await work()
          } catch (error) {
            setMessage(describeProblem(error, t))
            return null
          }
        },
      },
    [session?.user, language],
  )

  return (
    <>
      <a class="skip" href="#main">
        {t.skip}
      </a>
      {context === null ? (
        <SignIn t={t} language={language} onLanguage={setLanguage} />
      ) : (
        <Context.Provider value={context}>
          <SignedIn
            key={context.me.id}
            onLanguage={setLanguage}
            onName={(displayName) =>
              session && setSession({ ...session, user: { ...session.user, displayName } })
            }
          />
        </Context.Provider>
      )}
      <div class="message" role="status">
        {message && (
          <button type="button" onClick={() => setMessage('')}>
            {message} ✕
          </button>
        )}
      </div>
    </>
  )
}

interface SignedInProps {
  readonly onLanguage: (language: keyof typeof LANGUAGES) => void
  readonly onName: (name: string) => void
}

function SignedIn({ onLanguage, onName }: SignedInProps) {
  const { t, me } = usePage()
  const address = useAddress()
  const [news, setNews] = useState(0)
  const [unread, setUnread] = useState(0)
  const [latest, setLatest] = useState('')
  const main = useRef<HTMLElement>(null)

  useEffect(() => {
    const stop = new AbortController()
    const count = () =>
      sns.countUnreadNotifications().then(
        (counted) => setUnread(counted.unread),
        () => {},
      )
    count()
    hearEvents((event) => {
      if (event.kind === 'posts') setNews((before) => before + 1)
      else {
        setLatest(event.id)
        count()
      }
    }, stop.signal)
    return () => stop.abort()
  }, [])

  // A new page is announced, and read from its heading.
  const place = address.pathname
  const isFirst = useRef(true)
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ''}sns`
  }, [unread])
  useEffect(() => {
    if (!isFirst.current) {
      scrollTo({ top: 0 })
      main.current?.querySelector<HTMLElement>('h1')?.focus()
    }
    isFirst.current = false
  }, [place])

  return (
    <>
      <header>
        <nav aria-label="sns">
          <Link to="/">{t.home}</Link>
          <Link to="/search">{t.search}</Link>
          <Link to="/notifications">
            {t.notifications}
            {unread > 0 && (
              <span class="count" title={t.unread(unread)}>
                {unread < 100 ? unread : '99+'}
              </span>
            )}
          </Link>
          <Link to={`/users/${me.username}`}>{t.profile}</Link>
          <Link to="/settings">{t.settings}</Link>
          <button type="button" class="link" onClick={() => sns.signOut().catch(() => {})}>
            {t.signOut}
          </button>
        </nav>
      </header>
      <main id="main" ref={main}>
        {page()}
      </main>
    </>
  )

  function page() {
    const [, kind = '', raw = ''] = address.pathname.split('/')
    const name = decodeURIComponent(raw)
    const query = address.searchParams
    switch (kind) {
      case '':
        return <Home newsCount={news} />
      case 'users':
        return <Profile username={name} list={query.get('list') ?? 'posts'} />
      case 'posts':
        return <PostPage id={name} />
      case 'tags':
        return <Tag tag={name} />
      case 'search': {
        const q = query.get('q') ?? ''
        return <Search key={q} q={q} kind={query.get('in') === 'people' ? 'people' : 'posts'} />
      }
      case 'notifications':
        return <Notifications latest={latest} onRead={() => setUnread(0)} />
      case 'likes':
        return <Liked />
      case 'settings':
        return <Settings onLanguage={onLanguage} onName={onName} />
      default:
        return <p>{t.notFound}</p>
    }
  }
}
