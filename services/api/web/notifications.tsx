import type { Notification } from '@sns/client'
import { useEffect } from 'preact/hooks'
import { sns, usePage } from './context'
import { List, usePages } from './pages'
import { Link } from './router'
import { Time } from './text'
import { useTitle } from './title'

/** What others did; seeing it marks it as read. `latest` is the newest that was heard of. */
export function Notifications({
  latest,
  onRead,
}: {
  readonly latest: string
  readonly onRead: () => void
}) {
  const { t } = usePage()
  const pages = usePages<Notification>(`notifications ${latest}`, (page, signal) =>
    sns.listNotifications(page, { signal }),
  )
  useTitle(t.notifications)
  const newest = pages.items?.[0]
  useEffect(() => {
    if (newest && !newest.read)
      sns.markNotificationsRead({ until: newest.id }).then(onRead, () => {})
  }, [newest?.id])
  return (
    <>
      <h1 tabIndex={-1}>{t.notifications}</h1>
      <List
        pages={pages}
        empty={t.noNotifications}
        label={t.notifications}
        show={(each) => <Item {...each} />}
      />
    </>
  )
}

function Item({ kind, actor, postId, text, createdAt, read }: Notification) {
  const { t } = usePage()
  return (
    <article class={read ? 'post' : 'post unread'}>
      <p>
        <Link to={`/users/${actor.username}`}>
          <strong dir="auto">{actor.displayName}</strong>
        </Link>{' '}
        {t.did[kind]} · <Time at={createdAt} />
      </p>
      {postId && (
        <Link to={`/posts/${postId}`} class="quiet">
          <span dir="auto">
            {Array.from(text ?? '')
              .slice(0, 140)
              .join('')}
          </span>
        </Link>
      )}
    </article>
  )
}
