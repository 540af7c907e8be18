import type { PostId, UserId } from '@sns/shared/domain/id'
import type { EngagementStore } from '@sns/shared/ports/engagement-store'
import type { Change, ChangeAnnouncer } from '@sns/shared/ports/freshness'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import type { PostStore } from '@sns/shared/ports/post-store'
import { RefreshTokenReused, type SessionStore } from '@sns/shared/ports/session-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import type { PostPieces } from './post-pieces'

export interface Stores {
  readonly users: UserStore
  readonly sessions: SessionStore
  readonly graph: GraphStore
  readonly posts: PostStore
  readonly engagement: EngagementStore
}

const viewer = (user: UserId): Change => ({ kind: 'viewer', user })

const liked = (post: PostId, by: UserId): readonly Change[] => [
  { kind: 'engagement', post, by },
  { kind: 'reactions', user: by },
]

/**
 * Wraps the stores: every write that alters something kept in memory is announced after its commit
 * and before it returns. It is announced even where nothing changed: the first attempt may have
 * committed and failed to announce. A write that is not wrapped here alters nothing that is kept.
 */
export function createAnnouncedStores(
  stores: Stores,
  { announce }: Pick<ChangeAnnouncer, 'announce'>,
  pieces: Pick<PostPieces, 'written'>,
): Stores {
  const { users, sessions, graph, posts, engagement } = stores

  return {
    users: {
      ...users,
      async updateDisplayName(id, displayName) {
        const user = await users.updateDisplayName(id, displayName)
        await announce([{ kind: 'author', user: id }, viewer(id)])
        return user
      },
      async touchGraph(ids) {
        await users.touchGraph(ids)
        await announce(ids.map(viewer))
      },
      async updatePassword(id, change) {
        const isChanged = await users.updatePassword(id, change)
        await announce([viewer(id)])
        return isChanged
      },
      async delete(id, passwordHash) {
        const isDeleted = await users.delete(id, passwordHash)
        await announce([{ kind: 'author', user: id }, viewer(id)])
        return isDeleted
      },
    },

    sessions: {
      ...sessions,
      async rotate(hash, next, now) {
        try {
          return await sessions.rotate(hash, next, now)
        } catch (error) {
          if (error instanceof RefreshTokenReused) await announce([viewer(error.userId)])
          throw error
        }
      },
      async end(userId, id) {
        const isEnded = await sessions.end(userId, id)
        await announce([viewer(userId)])
        return isEnded
      },
      async endByToken(hash) {
        const userId = await sessions.endByToken(hash)
        await announce(userId === null ? [] : [viewer(userId)])
        return userId
      },
    },

    graph: {
      ...graph,
      async follow(follower, followee) {
        await graph.follow(follower, followee)
        await announce([viewer(follower)])
      },
      async unfollow(follower, followee) {
        const isEnded = await graph.unfollow(follower, followee)
        await announce([viewer(follower)])
        return isEnded
      },
      async block(blocker, blocked) {
        await graph.block(blocker, blocked)
        await announce([viewer(blocker), viewer(blocked)])
      },
      async unblock(blocker, blocked) {
        const isEnded = await graph.unblock(blocker, blocked)
        await announce([viewer(blocker), viewer(blocked)])
        return isEnded
      },
      async mute(muter, muted) {
        await graph.mute(muter, muted)
        await announce([viewer(muter)])
      },
      async unmute(muter, muted) {
        const isEnded = await graph.unmute(muter, muted)
        await announce([viewer(muter)])
        return isEnded
      },
    },

    posts: {
      ...posts,
      async create(post) {
        const created = await pieces.written(post, () => posts.create(post))
        const { id, authorId: author } = created.body
        await announce([
          { kind: 'created', post: id, author },
          { kind: 'posts', author },
        ])
        return created
      },
      async edit(id, author, text) {
        const body = await posts.edit(id, author, text)
        await announce([{ kind: 'post', post: id }])
        return body
      },
      async delete(id, author) {
        await posts.delete(id, author)
        await announce([{ kind: 'post', post: id }])
      },
    },

    engagement: {
      ...engagement,
      async like(by, post) {
        await engagement.like(by, post)
        await announce(liked(post, by))
      },
      async unlike(by, post) {
        await engagement.unlike(by, post)
        await announce(liked(post, by))
      },
      async comment(comment) {
        const written = await engagement.comment(comment)
        await announce([{ kind: 'engagement', post: comment.postId, by: comment.authorId }])
        return written
      },
      async deleteComment(id, author) {
        const post = await engagement.deleteComment(id, author)
        await announce([{ kind: 'engagement', post, by: author }])
        return post
      },
    },
  }
}
