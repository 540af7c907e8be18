import type { Comment, Post } from '@sns/client'
import { useState } from 'preact/hooks'
import { sns, usePage } from './context'

export const POST_MAX = 2_000
const COMMENT_MAX = 1_000

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
