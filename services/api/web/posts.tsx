import type { Author, Comment, Post } from '@sns/client'
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { sns, usePage } from './context'
import { List, type Pages } from './pages'
import { Link } from './router'

const POST_MAX = 2_000
const COMMENT_MAX = 1_000

/** A text with what it names as links. Places count code points. */
export function Text({ text, entities }: Pick<Post, 'text' | 'entities'>) {
  const points = Array.from(text)
  const parts: ComponentChildren[] = []
  let at = 0
  for (const entity of entities) {
    parts.push(points.slice(at, entity.start).join(''))
    const to =
      entity.type === 'mention'
        ? `/users/${entity.username}`
        : `/tags/${encodeURIComponent(entity.tag)}`
    parts.push(<Link to={to}>{points.slice(entity.start, entity.end).join('')}</Link>)
    at = entity.end
  }
  parts.push(points.slice(at).join(''))
  return <p class="text">{parts}</p>
}

/** The api's HTML, escaped but for its marks, as elements: nothing is put into the page as HTML. */
export function Highlight({ html }: { readonly html: string }) {
  const parts = html.split(/<mark>(.*?)<\/mark>/s)
  return (
    <p class="text">
      {parts.map((part, at) => {
        const text = part.replace(
          /&(amp|lt|gt|quot|#39);/g,
          (_, name: string) => ENTITY[name] ?? '',
        )
        return at % 2 === 1 ? <mark key={at}>{text}</mark> : text
      })}
    </p>
  )
}
const ENTITY: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
}

export function Time({ at }: { readonly at: string }) {
  const { language } = usePage()
  const date = new Date(at)
  const seconds = (date.getTime() - Date.now()) / 1_000
  const [unit, size] =
    UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? (['second', 1] as const)
  const words = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' })
  return (
    <time dateTime={at} title={date.toLocaleString(language)}>
      {words.format(Math.min(0, Math.round(seconds / size)), unit)}
    </time>
  )
}
const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const

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

/** A field for a text and its button. Keeps what was typed until it is sent. */
export function Composer(props: {
  readonly label: string
  readonly button: string
  readonly max: number
  readonly text?: string
  readonly send: (text: string) => Promise<unknown>
  readonly cancel?: () => void
}) {
  const { t } = usePage()
  const [text, setText] = useState(props.text ?? '')
  const [isSending, setSending] = useState(false)
  const left = props.max - Array.from(text).length
  const canSend = text.trim() !== '' && left >= 0 && !isSending
  const submit = async (event: Event) => {
    event.preventDefault()
    if (!canSend) return
    setSending(true)
    if ((await props.send(text)) !== null) setText('')
    setSending(false)
  }
  return (
    <form class="composer" onSubmit={submit}>
      <textarea
        aria-label={props.label}
        placeholder={props.label}
        rows={Math.min(8, 2 + text.split('\n').length)}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event)
        }}
      />
      <div class="row">
        {left < 100 && <span class={left < 0 ? 'problem' : 'quiet'}>{t.left(left)}</span>}
        {props.cancel && (
          <button type="button" onClick={props.cancel}>
            {t.cancel}
          </button>
        )}
        <button type="submit" class="main" disabled={!canSend}>
          {props.button}
        </button>
      </div>
    </form>
  )
}

export function PostComposer({ onPost }: { readonly onPost: (post: Post) => void }) {
  const { t, attempt } = usePage()
  const send = async (text: string) => {
    const post = await attempt(() => sns.createPost({ text }))
    if (post) onPost(post)
    return post
  }
  return <Composer label={t.write} button={t.post} max={POST_MAX} send={send} />
}

export function CommentComposer(props: {
  readonly postId: string
  readonly onComment: (comment: Comment) => void
}) {
  const { t, attempt } = usePage()
  const send = async (text: string) => {
    const comment = await attempt(() => sns.createComment({ id: props.postId, text }))
    if (comment) props.onComment(comment)
    return comment
  }
  return <Composer label={t.comment} button={t.send} max={COMMENT_MAX} send={send} />
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
