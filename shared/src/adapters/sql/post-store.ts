import { type Kysely, sql, type Transaction } from 'kysely'
import type { Clock } from '../../domain/clock'
import { idTime, type PostId, type UserId } from '../../domain/id'
import type { PostBody } from '../../domain/post'
import { SnsError } from '../../errors/sns-error'
import type { NewPost, PostStore } from '../../ports/post-store'
import { DELETE_CHUNK, deleteInChunks } from './bounded-delete'
import { type Queryable, traitsOf, transact } from './database'
import { notBlockedEitherWay } from './feed-truth'
import { deletedSince, findMadeByKey, rememberKey } from './idempotency-keys'
import { byIndex, IN_ORDER, NOT_IN_INDEX } from './index-hints'
import { ID_TAKEN, insertWithFreeId } from './inserts'
import { lockOwnPost } from './locks'
import {
  beginPostDeletion,
  continuePostDeletion,
  finishPostDeletions,
  isBeingDeleted,
} from './post-deletion'
import { readFeedAuthors, readFeedIds } from './post-feed'
import {
  findPost,
  readPostsByAuthor,
  selectBodies,
  selectPublished,
  selectVisible,
  toBody,
  toPublishedPost,
  toViewedPost,
} from './post-reads'
import { prepareQuery } from './prepared-query'
import type { Database } from './schema'

interface SqlPostStoreDeps {
  readonly clock: Clock
}

/** What is read of feeds, however much it is: for connections of its own. */
export function createSqlFeedReads(
  db: Kysely<Database>,
): Pick<PostStore, 'feedIds' | 'feedAuthors'> {
  return {
    feedIds: (viewer, page) => readFeedIds(db, viewer, page),
    feedAuthors: (viewer) => readFeedAuthors(db, viewer),
  }
}

/** Posts in SQL: the truth that every cache is checked against. */
export function createSqlPostStore(db: Kysely<Database>, { clock }: SqlPostStoreDeps): PostStore {
  const visible = prepareQuery(db, (viewer: UserId, ids: readonly PostId[]) =>
    selectVisible(db, viewer, ids),
  )
  const published = prepareQuery(db, (_: number, ids: readonly PostId[]) =>
    selectPublished(db, ids),
  )
  const liked = prepareQuery(db, (viewer: UserId, ids: readonly PostId[]) =>
    db
      .selectFrom(byIndex('likes', 'PRIMARY'))
      .select(['post_id', NOT_IN_INDEX])
      .where('user_id', '=', viewer)
      .where('post_id', 'in', ids),
  )

  return {
    create: (post) => createPost(db, clock, post),
    edit: (id, author, text) => editPost(db, clock, id, author, text),
    delete: (id, author) => deletePost(db, id, author),
    find: (id, viewer) => findPost(db, id, viewer),
    byAuthor: (author, viewer, page) => readPostsByAuthor(db, author, viewer, page),
    async newestIds(author, limit) {
      const rows = await db
        .selectFrom(byIndex('posts', 'posts_author_id'))
        .select('id')
        .where('author_id', '=', author)
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map((row) => row.id)
    },
    ...createSqlFeedReads(db),
    visible: async (viewer, ids) =>
      ids.length === 0 ? [] : (await visible(viewer, ids)).map(toViewedPost),
    published: async (ids) =>
      ids.length === 0 ? [] : (await published(0, ids)).map(toPublishedPost),
    async likedIds(viewer, { before, limit }) {
      const rows = await db
        .selectFrom(byIndex('likes', 'PRIMARY'))
        .select(['post_id', NOT_IN_INDEX])
        .where('user_id', '=', viewer)
        .$if(before !== null, (query) => query.where('post_id', '<', before))
        .orderBy('post_id', 'desc')
        .limit(limit)
        .execute()
      return rows.map((row) => row.post_id)
    },
    async visibleLikedIds(viewer, { before, limit }) {
      const rows = await db
        .selectFrom(byIndex('likes', 'PRIMARY'))
        .modifyFront(IN_ORDER)
        .crossJoin(byIndex('posts', 'PRIMARY'))
        .whereRef('posts.id', '=', 'likes.post_id')
        .select(['likes.post_id', `likes.${NOT_IN_INDEX}`])
        .where('likes.user_id', '=', viewer)
        .$if(before !== null, (query) => query.where('likes.post_id', '<', before))
        .where((eb) => notBlockedEitherWay(viewer, eb.ref('posts.author_id')))
        .orderBy('likes.post_id', 'desc')
        .limit(limit)
        .execute()
      return rows.map((row) => row.post_id)
    },
    liked: async (viewer, ids) =>
      ids.length === 0 ? [] : (await liked(viewer, ids)).map((row) => row.post_id),
    finishDeletions: async (signal) => {
      await finishPostDeletions(db, () => !signal.aborted, DELETE_CHUNK)
    },
    pruneIdempotencyKeys: (before) =>
      deleteInChunks(db, {
        table: 'idempotency_keys',
        primaryKey: ['user_id', 'idem_key'],
        where: sql`created_at < ${before}`,
        index: 'idempotency_keys_age',
      }),
  }
}

type Tx = Transaction<Database>

/** Without a key, one statement that commits by itself: the author's account is held while it runs. */
async function createPost(
  db: Kysely<Database>,
  clock: Clock,
  { id, authorId, text, idempotencyKey }: NewPost,
): ReturnType<PostStore['create']> {
  if (idempotencyKey === null) {
    return { body: await insertPost(db, { id, authorId, text }), created: true }
  }
  const request = { userId: authorId, key: idempotencyKey, text, commentOn: null }
  return transact(db, async (tx) => {
    const made = await findMadeByKey(tx, request)
    if (made) return { body: await replay(tx, made.post, authorId), created: false }
    const body = await insertPost(tx, { id, authorId, text })
    await rememberKey(tx, request, { post: body.id, comment: null }, clock.now())
    return { body, created: true }
  })
}

/** Only a post of the same author: its id may have come twice, after the first was deleted. */
async function replay(tx: Tx, id: PostId, author: UserId): Promise<PostBody> {
  const row = await selectBodies(tx, [id]).where('author_id', '=', author).executeTakeFirst()
  if (!row) throw deletedSince('post')
  return toBody(row)
}

/** A post has no counts until there is something to count. Throws `unauthenticated` without an account. */
async function insertPost(
  db: Queryable,
  { id, authorId, text }: Omit<NewPost, 'idempotencyKey'>,
): Promise<PostBody> {
  const hold = traitsOf(db).kind === 'mysql' ? sql`for share` : sql``
  const row = { author_id: authorId, text, version: 1, edited_at: null }
  const taken = await insertWithFreeId(db, id, ['PRIMARY'], async (id) => {
    const time = idTime(id)
    const { numAffectedRows } = await sql`
      insert into posts (id, author_id, text, version, created_at, edited_at, updated_at)
      select ${id}, user_id, ${text}, 1, ${time}, null, ${time}
      from accounts where user_id = ${authorId}
        and not exists (select 1 from post_deletions where post_id = ${id}) ${hold}`.execute(db)
    if (numAffectedRows) return id
    if (await isBeingDeleted(db, [id])) return ID_TAKEN
    throw new SnsError('unauthenticated')
  })
  return toBody({ ...row, id: taken, created_at: idTime(taken) })
}

async function editPost(
  db: Kysely<Database>,
  clock: Clock,
  id: PostId,
  author: UserId,
  text: string,
): Promise<PostBody> {
  return transact(db, async (tx) => {
    const row = await lockOwnPost(tx, id, author)
    if (row.text === text) return toBody(row)
    const now = clock.now()
    const edited = { ...row, text, version: row.version + 1, edited_at: now }
    await tx
      .updateTable('posts')
      .set({ text, version: edited.version, edited_at: now, updated_at: now })
      .where('id', '=', id)
      .execute()
    return toBody(edited)
  })
}

async function deletePost(db: Kysely<Database>, id: PostId, author: UserId): Promise<void> {
  await transact(db, async (tx) => {
    await lockOwnPost(tx, id, author)
    await beginPostDeletion(tx, [id])
  })
  // The post is gone already, and must be announced: what fails here is left to `finishDeletions`.
  await continuePostDeletion(db, id, DELETE_CHUNK).catch(() => {})
}
