import type { Post, Profile as ProfileOf, User } from '@sns/client'
import { sns, usePage } from './context'
import { Problem, useOne, usePages } from './pages'
import { People } from './people'
import { PostList } from './posts'
import { Link } from './router'

const LISTS = ['posts', 'followers', 'following'] as const
type ListName = (typeof LISTS)[number]

export function Profile({ username, list }: { readonly username: string; readonly list: string }) {
  const { t, me } = usePage()
  const { value, setValue, problem, retry } = useOne<ProfileOf>(username, () =>
    sns.readProfile({ username }),
  )
  const shown = LISTS.find((each) => each === list) ?? 'posts'
  if (problem) return <Problem text={problem} retry={retry} />
  if (value?.username.toLowerCase() !== username.toLowerCase())
    return <p class="quiet">{t.loading}</p>
  return (
    <>
      <h1 tabIndex={-1}>{value.displayName}</h1>
      <p class="quiet">
        @{value.username} {value.viewer.followedBy && <span class="badge">{t.followsYou}</span>}
      </p>
      {value.id !== me.id && <Relationship profile={value} onChange={setValue} />}
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
}: {
  readonly profile: ProfileOf
  readonly onChange: (profile: ProfileOf) => void
}) {
  const { t, attempt, say } = usePage()
  const { username, viewer, counts } = profile
  async function set(change: Partial<ProfileOf['viewer']>, act: () => Promise<unknown>) {
    const next = { ...viewer, ...change }
    const followers = counts.followers + Number(next.following) - Number(viewer.following)
    onChange({ ...profile, viewer: next, counts: { ...counts, followers } })
    const done = await attempt(async () => {
      await act()
      return true
    })
    if (!done) onChange(profile)
  }
  async function block() {
    const done = await attempt(async () => {
      await sns.blockUser({ username })
      return true
    })
    if (done) {
      onChange({ ...profile, viewer: { ...viewer, following: false, followedBy: false } })
      say(`${t.block}: @${username}`)
    }
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

function Posts({ username }: { readonly username: string }) {
  const { t } = usePage()
  const pages = usePages<Post>(username, (cursor, signal) =>
    sns.listUserPosts({ username, cursor }, { signal }),
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
  const pages = usePages<User>(`${username} ${list}`, (cursor, signal) =>
    read({ username, cursor }, { signal }),
  )
  return <People pages={pages} empty={t.nobody} label={t[list]} />
}
