import { createHash } from 'node:crypto'
import type { Transaction } from 'kysely'
import type { CommentId, PostId, UserId } from '../../domain/id'
import { SnsError } from '../../errors/sns-error'
import { lockActor } from './locks'
import type { Database } from './schema'

type Tx = Transaction<Database>

/** A request to write something once. */
export interface KeyedRequest {
  readonly userId: UserId
  readonly key: string
  readonly text: string
  /** The post that a comment is about; null writes a post. */
  readonly commentOn: PostId | null
}

/** What the key of a request made. */
export type MadeByKey =
  | { readonly post: PostId; readonly comment: null }
  | { readonly post: PostId; readonly comment: CommentId }

/**
 * What an earlier request with this key made; null where there was none. Locks the account until the transaction
 * ends: that is what makes two requests with one key take turns. Throws `idempotency_key_reused` where the key was used
 * for anything else, `unauthenticated` where the account is gone.
 */
export async function findMadeByKey(
  tx: Tx,
  { userId, key, text, commentOn }: KeyedRequest,
): Promise<MadeByKey | null> {
  await lockActor(tx, userId)
  const known = await tx
    .selectFrom('idempotency_keys')
    .select(['post_id', 'comment_id', 'text_hash'])
    .where('user_id', '=', userId)
    .where('idem_key', '=', key)
    .executeTakeFirst()
  if (!known) return null
  const { post_id: post, comment_id: comment } = known
  const isSame =
    known.text_hash === hashOf(text) &&
    (commentOn === null ? comment === null : comment !== null && post === commentOn)
  if (!isSame) throw new SnsError('idempotency_key_reused')
  return { post, comment }
}

/** Remembers what a request made, in the transaction that made it. */
export async function rememberKey(
  tx: Tx,
  { userId, key, text }: KeyedRequest,
  { post, comment }: MadeByKey,
  now: number,
): Promise<void> {
  await tx
    .insertInto('idempotency_keys')
    .values({
      user_id: userId,
      idem_key: key,
      post_id: post,
      comment_id: comment,
      text_hash: hashOf(text),
      created_at: now,
    })
    .execute()
}

/** Keys outlive what they made, so that a late repeat does not bring it back. */
export function deletedSince(what: 'post' | 'comment'): SnsError {
  return new SnsError('not_found', {
    detail: `The ${what} that this Idempotency-Key made was deleted since; use another key`,
  })
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
