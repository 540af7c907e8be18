import type { Post, Profile as ProfileOf, User } from '@sns/client'
import { useEffect, useRef } from 'preact/hooks'
import { isMissing, sns, usePage } from './context'
import { Unfound, useOne, usePages } from './pages'
import { People } from './people'
import { PostList } from './posts'
import { Link } from './router'
import { useTitle } from './title'
import { forgetLists } from './visits'

const LISTS = ['posts', 'followers', 'following'] as const
type ListName = (typeof LISTS)[number]

/** What the page knows of somebody; `blocked`: by whoever is signed in, who sees nothing else of them then. */
type Known = { readonly profile: ProfileOf } | { readonly blocked: User }

/** Those one blocks are hidden: they are found in the list of blocks. */
async function lookUp(username: string): Promise<Known> {
  try {
    return { profile: await sns.readProfile({ username }) }
  } catch (error) {
    if (!isMissing(error)) throw error
    for await (const user of sns.each('listBlocks', { limit: 100 })) {
      if (user.username.toLowerCase() === username.toLowerCase()) return { blocked: user }
    }
    throw error
  }
}

export function Profile({ username, list }: { readonly username: string; readonly list: string }) {
  const { t, me } = usePage()
  const key = `profile ${username}`
  const { value: known, setValue, problem, retry } = useOne(key, () => lookUp(username))
  const shown = LISTS.find((each) => each === list) ?? 'posts'
  const user = known && ('blocked' in known ? known.blocked : known.profile)
  useTitle(user ? `${user.displayName} (@${user.username})` : `@${username}`)
  if (problem) return <Unfound problem={problem} retry={retry} />
  if (!known) return <p class="quiet">{t.loading}</p>
  if ('blocked' in known) return <Blocked user={known.blocked} onUnblock={retry} />
  const value = known.profile
  return (
    <>
      <h1 tabIndex={-1} dir="auto">
        {value.displayName}
      </h1>
      <p class="quiet">
        @{value.username} {value.viewer.followedBy && <span class="badge">{t.followsYou}</span>}
      </p>
      {value.id !== me.id && (
        <Relationship
          profile={value}
          onChange={(profile) => setValue({ profile })}
          onBlock={() => setValue({ blocked: value })}
        />
      )}
      {value.id === me.id && (
        <p>
          <Link to="/likes">{t.liked}</Link>
        </p>
      )}
      <nav class="tabs" aria-label={value.displayName}>
        {LISTS.map((each) => (
          <Link
            key={each}
            to={`/users/${value.username}${each === 'posts' ? '' : `?list=${each}`}`}
          >
            {t[each]} {value.counts[each]}
          </Link>
        ))}
      </nav>
      {shown === 'posts' ? (
        <Posts username={value.username} />
      ) : (
        <Follows username={value.username} list={shown} />
      )}
    </>
  )
}

/** Follow, mute and block. Following shows at once, and goes back where it fails. */
function Relationship({
  profile,
  onChange,
  onBlock,
}: {
  readonly profile: ProfileOf
  readonly onChange: (profile: ProfileOf) => void
  readonly onBlock: () => void
}) {
  const { t, me, attempt } = usePage()
  const { username, viewer, counts } = profile
  async function set(change: Partial<ProfileOf['viewer']>, act: () => Promise<unknown>) {
    const next = { ...viewer, ...change }
    const followers = counts.followers + Number(next.following) - Number(viewer.following)
    onChange({ ...profile, viewer: next, counts: { ...counts, followers } })
    const done = await attempt(async () => {
      await act()
      return true
    })
    // What was left behind may show whom one does not want to see, and lack whom one does.
    if (done) forgetLists(me.id)
    else onChange(profile)
  }
  async function block() {
    const done = await attempt(async () => {
      await sns.blockUser({ username })
      return true
    })
    if (!done) return
    forgetLists(me.id)
    onBlock()
  }
  return (
    <div class="row">
      <button
        type="button"
        class={viewer.following ? '' : 'main'}
        onClick={() =>
          set({ following: !viewer.following }, () =>
            viewer.following ? sns.unfollowUser({ username }) : sns.followUser({ username }),
          )
        }
      >
        {viewer.following ? t.unfollow : t.follow}
      </button>
      <button
        type="button"
        onClick={() =>
          set({ muted: !viewer.muted }, () =>
            viewer.muted ? sns.unmuteUser({ username }) : sns.muteUser({ username }),
          )
        }
      >
        {viewer.muted ? t.unmute : t.mute}
      </button>
      <button type="button" onClick={block}>
        {t.block}
      </button>
    </div>
  )
}

/** In place of somebody who is hidden because one blocks them. */
function Blocked({ user, onUnblock }: { readonly user: User; readonly onUnblock: () => void }) {
  const { t, me, attempt } = usePage()
  const heading = useRef<HTMLHeadingElement>(null)
  // The button that had the focus is gone.
  useEffect(() => heading.current?.focus({ preventScroll: true }), [])
  async function unblock() {
    const done = await attempt(async () => {
      await sns.unblockUser({ username: user.username })
      return true
    })
    if (!done) return
    forgetLists(me.id)
    onUnblock()
  }
  return (
    <>
      <h1 ref={heading} tabIndex={-1} dir="auto">
        {user.displayName}
      </h1>
      <p class="quiet">@{user.username}</p>
      <p>{t.blockedByMe}</p>
      <button type="button" onClick={unblock}>
        {t.unblock}
      </button>
    </>
  )
}

function Posts({ username }: { readonly username: string }) {
  const { t } = usePage()
  const pages = usePages<Post>(`posts of ${username}`, (page, signal) =>
    sns.listUserPosts({ username, ...page }, { signal }),
  )
  return <PostList pages={pages} empty={t.noPosts} label={t.posts} />
}

function Follows({
  username,
  list,
}: {
  readonly username: string
  readonly list: Exclude<ListName, 'posts'>
}) {
  const { t } = usePage()
  const read = list === 'followers' ? sns.listFollowers : sns.listFollowing
  const pages = usePages<User>(`${list} of ${username}`, (page, signal) =>
    read({ username, ...page }, { signal }),
  )
  return <People pages={pages} empty={t.nobody} label={t[list]} />
}
