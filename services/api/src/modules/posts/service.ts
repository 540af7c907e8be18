import type { IdGenerator, PostId, UserId } from '@sns/shared/domain/id'
import { PAGE_LIMIT_DEFAULT } from '@sns/shared/domain/page'
import { POST_TEXT_MAX, type PostBody, type ViewedPost } from '@sns/shared/domain/post'
import type { Account } from '@sns/shared/domain/user'
import type { Logger } from '@sns/shared/observability/logger'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { TimelineStore } from '@sns/shared/ports/timeline-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import { readIdCursor, writeIdCursor } from '../../http/cursors'
import type { PageQuery } from '../../http/fields'
import { parseText, pathId } from '../../http/input'
import type { UserLookup } from '../users/lookup'
import type * as contract from './schema'
import { presentPost } from './schema'

export interface PostServiceDeps {
  readonly posts: Pick<PostStore, 'create' | 'edit' | 'delete' | 'find' | 'byAuthor'>
  readonly timelines: Pick<TimelineStore, 'push'>
  readonly users: Pick<UserStore, 'touchGraph'>
  readonly lookup: UserLookup
  readonly ids: IdGenerator
  readonly logger: Logger
}

export interface CreatedPost {
  readonly post: contract.Post
  /** The request repeats an earlier one with the same Idempotency-Key. */
  readonly replayed: boolean
}

export function createPostService(deps: PostServiceDeps) {
  const { posts, timelines, users, lookup, ids, logger } = deps

  /** An author's next read shows the post (F5), whether or not Redis can be reached. */
  async function showToAuthor(id: PostId, author: UserId): Promise<void> {
    try {
      await timelines.push(id, [author])
    } catch (err) {
      logger.debug({ err }, "the author's timeline was not updated; the next read rebuilds it")
      await users.touchGraph([author])
    }
  }

  return {
    async create(author: Account, text: string, key: string | undefined): Promise<CreatedPost> {
      const { body, created } = await posts.create({
        id: ids.next<'post'>(),
        authorId: author.id,
        text: parseText('text', text, POST_TEXT_MAX),
        idempotencyKey: key ?? null,
      })
      await showToAuthor(body.id, author.id)
      const post = created ? untouched(body, author) : await posts.find(body.id, author.id)
      return { post: presentPost(post), replayed: !created }
    },

    async read(id: string, viewer: UserId): Promise<contract.Post> {
      return presentPost(await posts.find(pathId(id), viewer))
    },

    async edit(id: string, viewer: UserId, text: string): Promise<contract.Post> {
      const cleaned = parseText('text', text, POST_TEXT_MAX)
      const postId = pathId<'post'>(id)
      await posts.edit(postId, viewer, cleaned)
      return presentPost(await posts.find(postId, viewer))
    },

    async delete(id: string, viewer: UserId): Promise<void> {
      await posts.delete(pathId(id), viewer)
    },

    async byAuthor(username: string, viewer: UserId, query: PageQuery): Promise<contract.PostPage> {
      const before = readIdCursor<'post'>('posts', query.cursor)
      const author = await lookup.visibleOrThrow(username, viewer)
      const limit = query.limit ?? PAGE_LIMIT_DEFAULT
      const { items, next } = await posts.byAuthor(author.id, viewer, { before, limit })
      return { items: items.map(presentPost), nextCursor: writeIdCursor('posts', next) }
    },
  }
}

/** A post without likes or comments. */
function untouched(body: PostBody, author: Account): ViewedPost {
  const { id, username, displayName } = author
  return {
    body,
    author: { id, username, displayName },
    counts: { likes: 0, comments: 0 },
    liked: false,
  }
}
