import type { ChangeEvent } from '@sns/shared/contract/change-event'
import type { PostId, UserId } from '@sns/shared/domain/id'

export interface CreatedPost {
  readonly id: PostId
  readonly author: UserId
  /** When it was committed, Unix milliseconds. */
  readonly committedAt: number
}

/** The author is kept where at least that can be read: it tells whose timelines miss the post. */
export type ReadPost =
  | { readonly ok: true; readonly post: CreatedPost }
  | { readonly ok: false; readonly author: UserId | null }

/** Reads the row of a `posts` event with op `c`, trusting nothing about its shape. */
export function readCreatedPost(event: ChangeEvent): ReadPost {
  const id = positiveInteger(event.after?.id)
  const author = positiveInteger(event.after?.author_id) as UserId | null
  if (id === null || author === null) return { ok: false, author }
  return { ok: true, post: { id: id as PostId, author, committedAt: event.source?.ts_ms } }
}

function positiveInteger(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null
}
