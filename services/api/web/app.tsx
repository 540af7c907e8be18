import type { Session } from '@sns/client'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import {
  Context,
  describeProblem,
  type PageContext,
  signOut,
  sns,
  usePage,
  watchSession,
} from './context'
import { Home } from './home'
import { Liked, Search, Tag } from './lists'
import { hearEvents } from './live'
import { NotFound } from './not-found'
import { Notifications } from './notifications'
import { placeOf } from './paths'
import { PostPage } from './post'
import { Profile } from './profile'
import { type Address, Link, useAddress } from './router'
import { Settings } from './settings'
import { SignIn } from './sign-in'
import { LANGUAGES, storedLanguage, storeLanguage } from './texts'
import { useUnreadTitle } from './title'
import { claimVisits, scrollOf } from './visits'

interface Message {
  readonly text: string
  /** The how manieth error it is; 0 for what is none. */
  readonly error: number
}

const NO_MESSAGE: Message = { text: '', error: 0 }

export function App() {
  const [session, setSession] = useState<Session | null>(sns.session)
  const [language, setLanguage] = useState(storedLanguage)
  const [message, setMessage] = useState(NO_MESSAGE)
  const errors = useRef(0)
  const address = useAddress()
  const t = LANGUAGES[language]
  useEffect(() => watchSession(setSession), [])
  useEffect(() => {
    document.documentElement.lang = language
    storeLanguage(language)
  }, [language])

  const context = useMemo<PageContext | null>(() => {
    if (!session) return null
    claimVisits(session.user.id)
    const begin = () => {
      const before = errors.current
      return () =>
        setMessage((shown) => (shown.error > 0 && shown.error <= before ? NO_MESSAGE : shown))
    }
    return {
      t,
      language,
      me: session.user,
      visit: address.visit,
      returns: address.returns,
      say: (text) => setMessage({ text, error: 0 }),
      begin,
      async attempt(work) {
        const succeed = begin()
        try {
          const result = await work()
          succeed()
          return result
        } catch (error) {
          errors.current += 1
          setMessage({ text: describeProblem(error, t), error: errors.current })
          return null
        }
      },
    }
  }, [session?.user, language, address.visit, address.returns])

  return (
    <>
      <a class="skip" href="#main">
        {t.skip}
      </a>
      {context !== null ? (
        <Context.Provider value={context}>
          <SignedIn
            key={context.me.id}
            address={address}
            onLanguage={setLanguage}
            onName={(displayName) =>
              session && setSession({ ...session, user: { ...session.user, displayName } })
            }
          />
        </Context.Provider>
      ) : placeOf(address.url.pathname) === null ? (
        <main id="main">
          <NotFound t={t} />
        </main>
      ) : (
        <SignIn t={t} language={language} onLanguage={setLanguage} />
      )}
      <div class="message" role="status">
        {message.text && (
          <button type="button" onClick={() => setMessage(NO_MESSAGE)}>
            {message.text} ✕
          </button>
        )}
      </div>
    </>
  )
}

interface SignedInProps {
  readonly address: Address
  readonly onLanguage: (language: keyof typeof LANGUAGES) => void
  readonly onName: (name: string) => void
}

function SignedIn({ address, onLanguage, onName }: SignedInProps) {
  const { t, me } = usePage()
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

  useUnreadTitle(unread)

  // A new page is announced, and read from its heading; one that was left is where it was left.
  const { pathname, searchParams: query } = address.url
  const before = useRef<string | null>(null)
  useLayoutEffect(() => {
    const y = scrollOf(address.visit)
    const isOther = before.current !== null && before.current !== pathname
    if (y !== null) scrollTo({ top: y })
    else if (isOther) scrollTo({ top: 0 })
    if (isOther) main.current?.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true })
    before.current = pathname
  }, [address.visit])

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
          <button type="button" class="link" onClick={signOut}>
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
    const place = placeOf(pathname)
    switch (place?.path) {
      case '/':
        return <Home newsCount={news} />
      case '/users/:name':
        return <Profile username={place.name} list={query.get('list') ?? 'posts'} />
      case '/posts/:name':
        return <PostPage id={place.name} />
      case '/tags/:name':
        return <Tag tag={place.name} />
      case '/search': {
        const q = query.get('q') ?? ''
        return <Search key={q} q={q} kind={query.get('in') === 'people' ? 'people' : 'posts'} />
      }
      case '/notifications':
        return <Notifications latest={latest} onRead={() => setUnread(0)} />
      case '/likes':
        return <Liked />
      case '/settings':
        return <Settings onLanguage={onLanguage} onName={onName} />
      case undefined:
        return <NotFound t={t} />
    }
  }
}
