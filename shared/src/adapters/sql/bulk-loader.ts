import { type Insertable, type Kysely, sql, type Transaction } from 'kysely'
import type { Clock } from '../../domain/clock'
import { exactId, idTime, type PostId, type UserId } from '../../domain/id'
import { SnsError } from '../../errors/sns-error'
import type {
  BulkLoader,
  ImportState,
  ImportStep,
  LoadedNote,
  LoadedPost,
} from '../../ports/bulk-loader'
import { traitsOf, transact } from './database'
import { raiseGraphVersion } from './graph-store'
import { byIndex } from './index-hints'
import { ID_TAKEN, insertAbsent, insertIfAbsent, insertWithFreeId } from './inserts'
import { lockAccounts } from './locks'
import { isBeingDeleted } from './post-deletion'
import type { Database } from './schema'

const LOADED = ['users', 'accounts', 'follows', 'posts', 'post_counts', 'comments'] as const

const DONE_COLUMN = {
  users: (done: number) => ({ users_done: done }),
  follows: (done: number) => ({ follows_done: done }),
  posts: (done: number) => ({ posts_done: done }),
  comments: (done: number) => ({ comments_done: done }),
} as const

/** `BulkLoader` on the tables themselves: rows of many values, one transaction a batch. */
export function createSqlBulkLoader(db: Kysely<Database>, deps: { clock: Clock }): BulkLoader {
  function saveDone(
    tx: Transaction<Database>,
    source: string,
    step: ImportStep,
    done: number,
  ): Promise<unknown> {
    return tx
      .updateTable('imports')
      .set({ ...DONE_COLUMN[step](done), updated_at: deps.clock.now() })
      .where('source', '=', source)
      .execute()
  }

  return {
    async open(source): Promise<ImportState> {
      const now = deps.clock.now()
      await insertIfAbsent(db, 'imports', {
        source,
        started_at: now,
        users_done: 0,
        follows_done: 0,
        posts_done: 0,
        updated_at: now,
      })
      const row = await db
        .selectFrom('imports')
        .selectAll()
        .where('source', '=', source)
        .executeTakeFirstOrThrow()
      return {
        startedAt: row.started_at,
        done: {
          users: row.users_done,
          follows: row.follows_done,
          posts: row.posts_done,
          comments: row.comments_done,
        },
      }
    },

    async loadUsers(source, users, passwordHash, done) {
      const rows = users.map(({ id, username }) => {
        const time = idTime(id)
        return { id, username, display_name: username, created_at: time, updated_at: time }
      })
      try {
        await transact(db, async (tx) => {
          await tx.insertInto('users').values(rows).execute()
          await tx
            .insertInto('accounts')
            .values(
              users.map(({ id }) => ({
                user_id: id,
                password_hash: passwordHash,
                graph_version: 0,
              })),
            )
            .execute()
          await saveDone(tx, source, 'users', done)
        })
      } catch (error) {
        if (traitsOf(db).duplicateIndex(error) === null) throw error
        throw new SnsError('username_taken', {
          detail: `one of ${users[0]?.username} to ${users.at(-1)?.username} exists and was not made by this import; load into an empty database`,
          cause: error,
        })
      }
    },

    async loadFollows(source, follows, done) {
      const rows = follows.map(({ id, follower, followee }) => ({
        id,
        follower_id: follower,
        followee_id: followee,
        created_at: idTime(id),
      }))
      return transact(db, async (tx) => {
        const fresh = await insertAbsent(tx, 'follows', rows)
        const followers = [...new Set(follows.map(({ follower }) => follower))]
        await raiseGraphVersion(tx, followers)
        await saveDone(tx, source, 'follows', done)
        return fresh
      })
    },

    async loadPosts(source, posts, done) {
      await transact(db, async (tx) => {
        await insertPosts(tx, posts)
        await saveDone(tx, source, 'posts', done)
      })
    },

    async loadNotes(notes) {
      const [first] = notes
      if (first === undefined) return 0
      return transact(db, async (tx) => {
        // Of two imports at once, the second sees what the first has loaded.
        await lockAccounts(tx, [first.authorId])
        const fresh = await absentNotes(tx, first.authorId, notes)
        if (fresh.length > 0) await insertPosts(tx, fresh)
        const rows = notes.map(({ authorId, note }) => ({ user_id: authorId, note }))
        await insertAbsent(tx, 'imported_notes', rows)
        return fresh.length
      })
    },

    async loadComments(source, comments, done) {
      return transact(db, async (tx) => {
        const authors = await authorsOf(
          tx,
          comments.map(({ post }) => post),
        )
        const there = comments.filter(({ post, postAuthor }) => authors.get(post) === postAuthor)
        for (const { id, post, authorId, text, createdAt } of there) {
          const row = { post_id: post, author_id: authorId, text, created_at: createdAt }
          await insertWithFreeId(tx, id, ['PRIMARY'], (free) =>
            tx
              .insertInto('comments')
              .values({ ...row, id: free })
              .execute(),
          )
          await tx
            .updateTable('post_counts')
            .set((eb) => ({ comments: eb('comments', '+', 1) }))
            .where('post_id', '=', post)
            .execute()
        }
        await saveDone(tx, source, 'comments', done)
        return there.length
      })
    },

    async refreshStatistics() {
      // SQLite keeps none; see `openSqliteDatabase`.
      if (traitsOf(db).kind === 'sqlite') return
      await sql`analyze no_write_to_binlog table ${sql.join(LOADED.map((name) => sql.table(name)))}`.execute(
        db,
      )
    },
  }
}

async function authorsOf(
  tx: Transaction<Database>,
  posts: readonly PostId[],
): Promise<ReadonlyMap<PostId, UserId>> {
  const rows = await tx
    .selectFrom(byIndex('posts', 'PRIMARY'))
    .select(['id', 'author_id'])
    .where('id', 'in', [...new Set(posts)])
    .execute()
  return new Map(rows.map((row) => [row.id, row.author_id]))
}

/** Without those that are here, by their name or by their time and text. */
async function absentNotes(
  tx: Transaction<Database>,
  author: UserId,
  notes: readonly LoadedNote[],
): Promise<readonly LoadedNote[]> {
  const names = notes.map(({ note }) => note)
  const times = [...new Set(notes.map(({ createdAt }) => createdAt))]
  const loaded = await tx
    .selectFrom('imported_notes')
    .select('note')
    .where('user_id', '=', author)
    .where('note', 'in', names)
    .execute()
  const written = await tx
    .selectFrom(byIndex('posts', 'posts_author_id'))
    .select(['created_at', 'text'])
    .where('author_id', '=', author)
    .where('created_at', 'in', times)
    .execute()
  const known = new Set(loaded.map(({ note }) => note))
  const said = new Set(written.map(({ created_at, text }) => `${created_at} ${text}`))
  return notes.filter(({ note, createdAt, text }) => {
    const isFresh = !known.has(note) && !said.has(`${createdAt} ${text}`)
    known.add(note)
    return isFresh
  })
}

/** With their counts: all at once; one by one where an id is taken. */
async function insertPosts(tx: Transaction<Database>, posts: readonly LoadedPost[]): Promise<void> {
  const rows = posts.map(({ id, authorId, text, createdAt }) => ({
    id: exactId<'post'>(id),
    author_id: authorId,
    text,
    version: 1,
    created_at: createdAt,
    edited_at: null,
    updated_at: createdAt,
  }))
  const ids = await insertRows(tx, rows)
  await tx
    .insertInto('post_counts')
    .values(ids.map((id) => ({ post_id: id, likes: 0, comments: 0 })))
    .execute()
}

/** The ids that the rows got. */
async function insertRows(
  tx: Transaction<Database>,
  rows: readonly Insertable<Database['posts']>[],
): Promise<readonly PostId[]> {
  const ids = rows.map((row) => row.id)
  try {
    if (!(await isBeingDeleted(tx, ids))) {
      await tx.insertInto('posts').values(rows).execute()
      return ids
    }
  } catch (error) {
    if (traitsOf(tx).duplicateIndex(error) === null) throw error
  }
  const free: PostId[] = []
  for (const row of rows) {
    free.push(
      await insertWithFreeId(tx, row.id, ['PRIMARY'], async (id) =>
        (await isBeingDeleted(tx, [id]))
          ? ID_TAKEN
          : tx
              .insertInto('posts')
              .values({ ...row, id })
              .execute(),
      ),
    )
  }
  return free
}
