import type { Kysely, Transaction } from 'kysely'
import { type CommentId, idTime, type PostId, type UserId } from '../../domain/id'
import type { Page } from '../../domain/page'
import type { Comment } from '../../domain/post'
import { SnsError } from '../../errors/sns-error'
import type { RowOf } from '../../events/tables'
import type { NewComment } from '../../ports/engagement-store'
import { holdActor } from './account-locks'
import type { Queryable } from './dialect'
import { moveCount } from './engagement-counts'
import { insertWithFreeId } from './insert-with-free-id'
import { pageOf } from './page'
import { lockPost } from './post-lock'
import { assertPostVisible } from './post-reads'
import type { Database } from './schema'
import { transact } from './transaction'
import { toAuthor } from './user-row'
import { notBlockedEitherWay } from './visibility'

export async function createComment(db: Kysely<Database>, comment: NewComment): Promise<Comment> {
  return transact(db, async (tx) => {
    await holdActor(tx, comment.authorId)
    await lockPost(tx, comment.postId, comment.authorId)
    const id = await insertWithFreeId(tx, comment.id, ['PRIMARY'], (id) =>
      tx
        .insertInto('comments')
        .values({
          id,
          post_id: comment.postId,
          author_id: comment.authorId,
          text: comment.text,
          created_at: idTime(id),
        })
        .execute(),
    )
    await moveCount(tx, comment.postId, 'comments', 1)
    const row = await selectComments(tx).where('comments.id', '=', id).executeTakeFirstOrThrow()
    return toComment(row)
  })
}

/** Its author may take a comment back whatever blocks came since. */
export async function deleteComment(
  db: Kysely<Database>,
  id: CommentId,
  author: UserId,
): Promise<PostId> {
  return transact(db, async (tx) => {
    const postId = await postOfOwnComment(tx, id, author)
    await lockPost(tx, postId, null)
    const { numDeletedRows } = await tx
      .deleteFrom('comments')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    if (numDeletedRows === 0n) throw new SnsError('not_found')
    await moveCount(tx, postId, 'comments', -1)
    return postId
  })
}

async function postOfOwnComment(
  tx: Transaction<Database>,
  id: CommentId,
  author: UserId,
): Promise<PostId> {
  const comment = await tx
    .selectFrom('comments')
    .select(['comments.post_id', 'comments.author_id'])
    .select((eb) => notBlockedEitherWay(author, eb.ref('comments.author_id')).as('visible'))
    .where('comments.id', '=', id)
    .executeTakeFirst()
  if (comment?.author_id === author) return comment.post_id
  if (!comment?.visible) throw new SnsError('not_found')
  await assertPostVisible(tx, comment.post_id, author)
  throw new SnsError('forbidden')
}

export async function readComments(
  db: Queryable,
  postId: PostId,
  viewer: UserId,
  { after, limit }: { readonly after: CommentId | null; readonly limit: number },
): Promise<Page<Comment, CommentId>> {
  await assertPostVisible(db, postId, viewer)
  const rows = await selectComments(db)
    .where('comments.post_id', '=', postId)
    .$if(after !== null, (query) => query.where('comments.id', '>', after))
    .where((eb) => notBlockedEitherWay(viewer, eb.ref('comments.author_id')))
    .orderBy('comments.id')
    .limit(limit + 1)
    .execute()
  return pageOf(rows, limit, (row) => row.id, toComment)
}

function selectComments(db: Queryable) {
  return db
    .selectFrom('comments')
    .innerJoin('users', 'users.id', 'comments.author_id')
    .select(['comments.id', 'comments.post_id', 'comments.author_id', 'comments.text'])
    .select(['comments.created_at', 'users.username', 'users.display_name'])
}

type CommentRow = RowOf<'comments'> & Pick<RowOf<'users'>, 'username' | 'display_name'>

function toComment(row: CommentRow): Comment {
  return {
    id: row.id,
    postId: row.post_id,
    author: toAuthor(row),
    text: row.text,
    createdAt: row.created_at,
  }
}
