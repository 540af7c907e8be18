import type { Author, Post } from '@sns/client'
import { useState } from 'preact/hooks'
import { Composer, POST_MAX } from './composer'
import { sns, usePage } from './context'
import { List, type Pages } from './pages'
import { Link } from './router'
import { Highlight, Text, Time } from './text'

export function Byline({ author, at }: { readonly author: Author; readonly at: string }) {
  return (
    <div class="byline">
      <Link to={`/users/${author.username}`} class="author">
        <strong>{author.displayName}</strong> <span>@{author.username}</span>
      </Link>
      <Time at={at} />
    </div>
  )
}

/** A button that asks once more before it acts. */
export function DeleteButton({ act }: { readonly act: () => void }) {
  const { t } = usePage()
  const [isAsked, setAsked] = useState(false)
  return (
    <button
      type="button"
      class={isAsked ? 'danger' : ''}
      onClick={() => (isAsked ? act() : setAsked(true))}
      onBlur={() => setAsked(false)}
    >
      {isAsked ? t.reallyDelete : t.delete}
    </button>
  )
}

interface PostCardProps {
  readonly post: Post & { readonly highlight?: string }
  readonly onChange: (post: Post) => void
  readonly onDelete: (id: string) => void
}

export function PostCard({ post, onChange, onDelete }: PostCardProps) {
  const { t, me, attempt } = usePage()
  const [isEdited, setEdited] = useState(false)
  const { id } = post

  async function toggleLike() {
    const liked = !post.viewer.liked
    const likes = post.counts.likes + (liked ? 1 : -1)
    onChange({ ...post, viewer: { liked }, counts: { ...post.counts, likes } })
    const done = await attempt(async () => {
      await (liked ? sns.likePost({ id }) : sns.unlikePost({ id }))
      return true
    })
    if (!done) onChange(post)
  }
  const save = async (text: string) => {
    const changed = await attempt(() => sns.editPost({ id, text }))
    if (changed) {
      setEdited(false)
      onChange(changed)
    }
    return changed
  }
  async function remove() {
    const done = await attempt(async () => {
      await sns.deletePost({ id })
      return true
    })
    if (done) onDelete(id)
  }

  return (
    <article class="post">
      <Byline author={post.author} at={post.createdAt} />
      {isEdited ? (
        <Composer
          label={t.edit}
          button={t.save}
          max={POST_MAX}
          text={post.text}
          send={save}
          cancel={() => setEdited(false)}
        />
      ) : post.highlight ? (
        <Highlight html={post.highlight} />
      ) : (
        <Text text={post.text} entities={post.entities} />
      )}
      <div class="row">
        <button
          type="button"
          class="like"
          aria-pressed={post.viewer.liked}
          aria-label={`${t.like}, ${t.likes(post.counts.likes)}`}
          onClick={toggleLike}
        >
          {post.viewer.liked ? '♥' : '♡'} {post.counts.likes}
        </button>
        <Link to={`/posts/${id}`} class="quiet">
          {t.comments(post.counts.comments)}
        </Link>
        {post.editedAt && <span class="quiet">{t.edited}</span>}
        {post.author.id === me.id && !isEdited && (
          <span class="own">
            <button type="button" onClick={() => setEdited(true)}>
              {t.edit}
            </button>
            <DeleteButton act={remove} />
          </span>
        )}
      </div>
    </article>
  )
}

/** A list of posts that can be liked, edited and deleted where they stand. */
export function PostList({
  pages,
  empty,
  label,
}: {
  readonly pages: Pages<Post>
  readonly empty: string
  readonly label: string
}) {
  const { update } = pages
  return (
    <List
      pages={pages}
      empty={empty}
      label={label}
      show={(post) => (
        <PostCard
          post={post}
          onChange={(changed) =>
            update((items) =>
              items.map((each) => (each.id === post.id ? { ...each, ...changed } : each)),
            )
          }
          onDelete={(id) => update((items) => items.filter((each) => each.id !== id))}
        />
      )}
    />
  )
}
