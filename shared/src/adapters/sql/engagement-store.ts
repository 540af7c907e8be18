import type { Kysely, Transaction } from 'kysely'
import type { Clock } from '../../domain/clock'
import { type CommentId, idTime, type PostId, type UserId } from '../../domain/id'
import { type Page, pageOf } from '../../domain/page'
import type { Comment } from '../../domain/post'
import type { User } from '../../domain/user'
import { SnsError } from '../../errors/sns-error'
import type { RowOf } from '../../events/tables'
import type { EngagementStore, NewComment } from '../../ports/engagement-store'
import type { RelationshipKey, RelationshipPage } from '../../ports/graph-store'
import { type Queryable, transact } from './database'
import { notBlockedEitherWay } from './feed-truth'
import { deletedSince, findMadeByKey, rememberKey } from './idempotency-keys'
import { byIndex, IN_ORDER } from './index-hints'
import { insertIfAbsent, insertWithFreeId } from './inserts'
import { holdActor, lockPost } from './locks'
import { assertPostVisible } from './post-reads'
import { isBelowKey } from './row-values'
import type { Database } from './schema'
import { toAuthor, toUser, USER_COLUMNS } from './user-row'

interface SqlEngagementStoreDeps {
  readonly clock: Clock
}

/** Likes and comments in SQL, with the counts beside them. */
export function createSqlEngagementStore(
  db: Kysely<Database>,
  { clock }: SqlEngagementStoreDeps,
): EngagementStore {
  return {
    like: (userId, postId) => likePost(db, clock, userId, postId),
    unlike: (userId, postId) => unlikePost(db, userId, postId),
    comment: (comment) => createComment(db, clock, comment),
    deleteComment: (id, author) => deleteComment(db, id, author),
    likers: (postId, viewer, page) => readLikers(db, postId, viewer, page),
    comments: (postId, viewer, page) => readComments(db, postId, viewer, page),
  }
}

/** Accounts are locked before posts, everywhere, so that no two writers wait for each other. */
async function likePost(
  db: Kysely<Database>,
  clock: Clock,
  userId: UserId,
  postId: PostId,
): Promise<void> {
  await transact(db, async (tx) => {
    await holdActor(tx, userId)
    await lockPost(tx, postId, userId)
    const like = { user_id: userId, post_id: postId, created_at: clock.now() }
    if (await insertIfAbsent(tx, 'likes', like)) await moveCount(tx, postId, 'likes', 1)
  })
}

/** Who gave a like may take it back whatever blocks came since; without one, a hidden post is as one that is not there. */
async function unlikePost(db: Kysely<Database>, userId: UserId, postId: PostId): Promise<void> {
  await transact(db, async (tx) => {
    await lockPost(tx, postId, null)
    const { numDeletedRows } = await tx
      .deleteFrom('likes')
      .where('user_id', '=', userId)
      .where('post_id', '=', postId)
      .executeTakeFirstOrThrow()
    if (numDeletedRows > 0n) await moveCount(tx, postId, 'likes', -1)
    else await assertPostVisible(tx, postId, userId)
  })
}

async function createComment(
  db: Kysely<Database>,
  clock: Clock,
  { idempotencyKey, ...comment }: NewComment,
): ReturnType<EngagementStore['comment']> {
  const { postId, authorId } = comment
  return transact(db, async (tx) => {
    if (idempotencyKey === null) {
      await holdActor(tx, authorId)
      await lockPost(tx, postId, authorId)
      return { comment: await insertComment(tx, comment), created: true }
    }
    const request = { userId: authorId, key: idempotencyKey, text: comment.text, commentOn: postId }
    const made = await findMadeByKey(tx, request)
    await lockPost(tx, postId, authorId)
    if (made?.comment) return { comment: await replay(tx, made.comment, authorId), created: false }
    const written = await insertComment(tx, comment)
    await rememberKey(tx, request, { post: postId, comment: written.id }, clock.now())
    return { comment: written, created: true }
  })
}

/** Adds a comment to a post that the transaction has locked. */
async function insertComment(
  tx: Transaction<Database>,
  { id: given, postId, authorId, text }: Omit<NewComment, 'idempotencyKey'>,
): Promise<Comment> {
  const id = await insertWithFreeId(tx, given, ['PRIMARY'], (id) =>
    tx
      .insertInto('comments')
      .values({ id, post_id: postId, author_id: authorId, text, created_at: idTime(id) })
      .execute(),
  )
  await moveCount(tx, postId, 'comments', 1)
  const row = await selectComments(tx, 'PRIMARY')
    .where('comments.id', '=', id)
    .executeTakeFirstOrThrow()
  return toComment(row)
}

/** Only a comment of the same author: its id may have come twice, after the first was deleted. */
async function replay(tx: Transaction<Database>, id: CommentId, author: UserId): Promise<Comment> {
  const row = await selectComments(tx, 'PRIMARY')
    .where('comments.id', '=', id)
    .where('comments.author_id', '=', author)
    .executeTakeFirst()
  if (!row) throw deletedSince('comment')
  return toComment(row)
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

async function readLikers(
  db: Queryable,
  postId: PostId,
  viewer: UserId,
  { before, limit }: RelationshipPage,
): Promise<Page<User, RelationshipKey>> {
  await assertPostVisible(db, postId, viewer)
  let query = db
    .selectFrom(byIndex('likes', 'likes_post_time'))
    .modifyFront(IN_ORDER)
    .crossJoin(byIndex('users', 'PRIMARY'))
    .whereRef('users.id', '=', 'likes.user_id')
    .select(USER_COLUMNS)
    .select('likes.created_at as liked_at')
    .where('likes.post_id', '=', postId)
    .where((eb) => notBlockedEitherWay(viewer, eb.ref('likes.user_id')))
    .orderBy('likes.created_at', 'desc')
    .orderBy('likes.user_id', 'desc')
    .limit(limit + 1)
  if (before !== null) {
    const key = ['likes.created_at', 'likes.user_id'] as const
    query = query.where(isBelowKey(key, [before.at, before.user]))
  }
  const rows = await query.execute()
  return pageOf(rows, limit, (row) => ({ at: row.liked_at, user: row.id }), toUser)
}

async function readComments(
  db: Queryable,
  postId: PostId,
  viewer: UserId,
  { after, limit }: { readonly after: CommentId | null; readonly limit: number },
): Promise<Page<Comment, CommentId>> {
  await assertPostVisible(db, postId, viewer)
  const rows = await selectComments(db, 'comments_post')
    .where('comments.post_id', '=', postId)
    .$if(after !== null, (query) => query.where('comments.id', '>', after))
    .where((eb) => notBlockedEitherWay(viewer, eb.ref('comments.author_id')))
    .orderBy('comments.id')
    .limit(limit + 1)
    .execute()
  return pageOf(rows, limit, (row) => row.id, toComment)
}

function selectComments(db: Queryable, index: 'PRIMARY' | 'comments_post') {
  return db
    .selectFrom(byIndex('comments', index))
    .modifyFront(IN_ORDER)
    .crossJoin(byIndex('users', 'PRIMARY'))
    .whereRef('users.id', '=', 'comments.author_id')
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

/** Moves a count of a post that the transaction has locked. A post without a row counts from zero. */
async function moveCount(
  tx: Transaction<Database>,
  postId: PostId,
  count: 'likes' | 'comments',
  by: 1 | -1,
): Promise<void> {
  const move = tx
    .updateTable('post_counts')
    .set((eb) => ({ [count]: eb(count, '+', by) }))
    .where('post_id', '=', postId)
  const { numUpdatedRows } = await move.executeTakeFirstOrThrow()
  if (numUpdatedRows > 0n) return
  await insertIfAbsent(tx, 'post_counts', { post_id: postId, likes: 0, comments: 0 })
  await move.execute()
}
