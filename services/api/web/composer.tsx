import { type Comment, type Post, ProblemError } from '@sns/client'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { sns, usePage } from './context'
import { type Draft, emptyDraft, loadDraft, saveDraft, tryDraft } from './drafts'

export const POST_MAX = 2_000
const COMMENT_MAX = 1_000

/** Sends a draft; null where that failed. */
type Send = (draft: Draft) => Promise<unknown>

/** A field for a text and its button. Keeps what was typed until it is sent. */
export function Composer(props: {
  readonly label: string
  readonly button: string
  readonly max: number
  /** What is written: the draft's name. Another one is another composer: its `key`. */
  readonly draft: string
  /** What the field begins with where there is no draft. */
  readonly text?: string
  /** Takes the focus when it appears. */
  readonly isFocused?: boolean
  readonly send: Send
  readonly cancel?: () => void
}) {
  const { t, me } = usePage()
  const [draft, setDraft] = useState(() => loadDraft(me.id, props.draft) ?? emptyDraft(props.text))
  const [isSending, setSending] = useState(false)
  const field = useRef<HTMLTextAreaElement>(null)
  const { text } = draft
  const left = props.max - Array.from(text).length
  const canSend = text.trim() !== '' && left >= 0 && !isSending

  useLayoutEffect(() => {
    if (!props.isFocused || !field.current) return
    field.current.focus()
    field.current.setSelectionRange(text.length, text.length)
  }, [])

  function keep(next: Draft) {
    setDraft(next)
    saveDraft(me.id, props.draft, next.text === (props.text ?? '') ? null : next)
  }
  const submit = async (event: Event) => {
    event.preventDefault()
    if (!canSend) return
    setSending(true)
    const tried = tryDraft(draft)
    keep(tried)
    if ((await props.send(tried)) !== null) {
      saveDraft(me.id, props.draft, null)
      setDraft(emptyDraft())
    }
    setSending(false)
  }
  const cancel =
    props.cancel &&
    (() => {
      saveDraft(me.id, props.draft, null)
      props.cancel?.()
    })
  return (
    <form class="composer" onSubmit={submit}>
      <textarea
        ref={field}
        dir="auto"
        aria-label={props.label}
        placeholder={props.label}
        rows={Math.min(8, 2 + text.split('\n').length)}
        value={text}
        onInput={(event) => keep({ ...draft, text: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event)
        }}
      />
      <div class="row">
        {left < 100 && <span class={left < 0 ? 'problem' : 'quiet'}>{t.left(left)}</span>}
        {cancel && (
          <button type="button" onClick={cancel}>
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

/** Writes with the key of a draft; with another where that was used for something else, as in a copied tab. */
async function once<Result>(
  { key }: Draft,
  write: (idempotencyKey: string) => Promise<Result>,
): Promise<Result> {
  try {
    return await write(key)
  } catch (error) {
    const isUsed = error instanceof ProblemError && error.code === 'idempotency_key_reused'
    if (!isUsed) throw error
    return write(emptyDraft().key)
  }
}

export function PostComposer({ onPost }: { readonly onPost: (post: Post) => void }) {
  const { t, attempt } = usePage()
  const send: Send = async (draft) => {
    const { text } = draft
    const post = await attempt(() =>
      once(draft, (idempotencyKey) => sns.createPost({ text, idempotencyKey })),
    )
    if (post) onPost(post)
    return post
  }
  return <Composer label={t.write} button={t.post} max={POST_MAX} draft="post" send={send} />
}

export function CommentComposer(props: {
  readonly postId: string
  readonly onComment: (comment: Comment) => void
}) {
  const { t, attempt } = usePage()
  const name = `comment ${props.postId}`
  const send: Send = async (draft) => {
    const [id, { text }] = [props.postId, draft]
    const comment = await attempt(() =>
      once(draft, (idempotencyKey) => sns.createComment({ id, text, idempotencyKey })),
    )
    if (comment) props.onComment(comment)
    return comment
  }
  return (
    <Composer
      key={name}
      label={t.comment}
      button={t.send}
      max={COMMENT_MAX}
      draft={name}
      send={send}
    />
  )
}
