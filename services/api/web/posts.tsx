import type { Author, Post } from '@sns/client'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { applyToPosts, tell, useChanges } from './changes'
import { Composer, POST_MAX } from './composer'
import { sns, usePage } from './context'
import type { Draft } from './drafts'
import { Folded } from './folded'
import { List, type Pages } from './pages'
import { Link } from './router'
import { Highlight, Text, Time } from './text'

export function Byline({ author, at }: { readonly author: Author; readonly at: string }) {
  return (
    <div class="byline">
      <Link to={`/users/${author.username}`} class="author">
        <strong dir="auto">{author.displayName}</strong> <span>@{author.username}</span>
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
  /** Shows all of a long text. */
  readonly isWhole?: boolean
}

/** A post that can be liked, edited and deleted where it stands. */
export function PostCard({ post, isWhole = false }: PostCardProps) {
  const { t, me, attempt } = usePage()
  const [isEdited, setEdited] = useState(false)
  const editButton = useRef<HTMLButtonElement>(null)
  const wasEdited = useRef(false)
  const { id } = post
  const change = (to: Post) => tell(me.id, { kind: 'changed', post: to })

  // Whoever edits by keyboard goes on where they began.
  useLayoutEffect(() => {
    if (wasEdited.current && !isEdited) editButton.current?.focus()
    wasEdited.current = isEdited
  }, [isEdited])

  async function toggleLike() {
    const liked = !post.viewer.liked
    const likes = post.counts.likes + (liked ? 1 : -1)
    change({ ...post, viewer: { liked }, counts: { ...post.counts, likes } })
    const done = await attempt(async () => {
      await (liked ? sns.likePost({ id }) : sns.unlikePost({ id }))
      return true
    })
    if (!done) change(post)
  }
  const save = async ({ text }: Draft) => {
    const edited = await attempt(() => sns.editPost({ id, text }))
    if (edited) {
      setEdited(false)
      change(edited)
    }
    return edited
  }
  async function remove() {
    const done = await attempt(async () => {
      await sns.deletePost({ id })
      return true
    })
    if (done) tell(me.id, { kind: 'deleted', post: id })
  }
  const text = post.highlight ? (
    <Highlight html={post.highlight} />
  ) : (
    <Text text={post.text} entities={post.entities} />
  )

  return (
    <article class="post">
      <Byline author={post.author} at={post.createdAt} />
      {isEdited ? (
        <Composer
          label={t.edit}
          button={t.save}
          max={POST_MAX}
          draft={`edit ${id}`}
          text={post.text}
          isFocused
          send={save}
          cancel={() => setEdited(false)}
        />
      ) : isWhole ? (
        text
      ) : (
        <Folded>{text}</Folded>
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
            <button type="button" ref={editButton} onClick={() => setEdited(true)}>
              {t.edit}
            </button>
            <DeleteButton act={remove} />
          </span>
        )}
      </div>
    </article>
  )
}

/** A list of posts, which shows what one does to them here and in other tabs. */
export function PostList({
  pages,
  empty,
  label,
}: {
  readonly pages: Pages<Post>
  readonly empty: string
  readonly label: string
}) {
  const { me } = usePage()
  useChanges(me.id, (change) => {
    if (change.kind === 'changed' || change.kind === 'deleted')
      pages.update((items) => applyToPosts(items, change))
  })
  return (
    <List pages={pages} empty={empty} label={label} show={(post) => <PostCard post={post} />} />
  )
}
