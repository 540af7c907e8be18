import type { UserId } from '@sns/shared/domain/id'
import { PAGE_LIMIT_DEFAULT } from '@sns/shared/domain/page'
import type { Account, User } from '@sns/shared/domain/user'
import type { ErrorCode } from '@sns/shared/errors/error-codes'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import { Elysia } from 'elysia'
import type { Authentication } from '../../http/authentication'
import { readRelationshipCursor, writeRelationshipCursor } from '../../http/cursors'
import { PageQuery, pageLimit, UsernameParams } from '../../http/fields'
import { nextLink } from '../../http/links'
import { USER_PAGE_EXAMPLE } from '../../http/openapi/examples'
import { NO_CONTENT, openapi, PROBLEMS, unchecked } from '../../http/openapi/operation'
import { noSuchUser, type UserLookup } from '../users/lookup'
import { presentUser, UserPage } from '../users/schema'

export interface GraphRoutesDeps {
  readonly graph: GraphStore
  readonly lookup: UserLookup
  readonly authenticated: Authentication
}

/**
 * Follows, blocks and mutes by username. A new relationship with a hidden user is refused, except a
 * block in return. A relationship that is there can always be ended; where there is none, a hidden user is as one who
 * is not there.
 */
export function graphRoutes({ graph, lookup, authenticated }: GraphRoutesDeps) {
  /** The other user, hidden or not. */
  async function anyOther(username: string, viewer: Account): Promise<UserId> {
    return otherThan(viewer, await lookup.any(username))
  }

  async function end(
    undo: 'unfollow' | 'unblock' | 'unmute',
    username: string,
    viewer: Account,
  ): Promise<void> {
    const other = await anyOther(username, viewer)
    if (await graph[undo](viewer.id, other)) return
    if (await lookup.isHiddenFrom(viewer.id, other)) throw noSuchUser()
  }

  return new Elysia({ prefix: '/v1/users/:username' })
    .use(authenticated)
    .put(
      '/follow',
      async ({ viewer, params: { username }, status }) =>
        status(204, await graph.follow(viewer.id, await anyOther(username, viewer))),
      relationship(
        'followUser',
        'Follow a user',
        'Shows their posts in your feed. Not possible across a block.',
        ['blocked'],
      ),
    )
    .delete(
      '/follow',
      async ({ viewer, params: { username }, status }) =>
        status(204, await end('unfollow', username, viewer)),
      relationship('unfollowUser', 'Unfollow a user', 'Removes their posts from your feed.'),
    )
    .put(
      '/block',
      async ({ viewer, params: { username }, status }) =>
        status(204, await graph.block(viewer.id, await anyOther(username, viewer))),
      relationship(
        'blockUser',
        'Block a user',
        'Ends the follows in both directions and hides each of you from the other.',
      ),
    )
    .delete(
      '/block',
      async ({ viewer, params: { username }, status }) =>
        status(204, await end('unblock', username, viewer)),
      relationship(
        'unblockUser',
        'Unblock a user',
        'Removes your block. The follows that it ended stay ended.',
      ),
    )
    .put(
      '/mute',
      async ({ viewer, params: { username }, status }) => {
        const other = await lookup.visibleOrThrow(username, viewer.id)
        return status(204, await graph.mute(viewer.id, otherThan(viewer, other)))
      },
      relationship(
        'muteUser',
        'Mute a user',
        'Hides their posts from your feed. They are not told.',
      ),
    )
    .delete(
      '/mute',
      async ({ viewer, params: { username }, status }) =>
        status(204, await end('unmute', username, viewer)),
      relationship('unmuteUser', 'Unmute a user', 'Shows their posts in your feed again.'),
    )
}

function otherThan(viewer: Account, { id }: User): UserId {
  if (id === viewer.id) throw new SnsError('self_target')
  return id
}

export function relationshipListRoutes({
  graph,
  authenticated,
}: Pick<GraphRoutesDeps, 'graph' | 'authenticated'>) {
  async function page(
    list: 'blocks' | 'mutes',
    viewer: Account,
    { cursor, limit = PAGE_LIMIT_DEFAULT }: PageQuery,
  ) {
    const before = readRelationshipCursor(list, cursor)
    const { items, next } = await graph[list](viewer.id, { before, limit })
    return { items: items.map(presentUser), nextCursor: writeRelationshipCursor(list, next) }
  }

  return new Elysia({ prefix: '/v1/me' })
    .use(authenticated)
    .get(
      '/blocks',
      ({ viewer, query }) => page('blocks', viewer, query),
      list('listBlocks', 'List your blocks', 'Whom you block, latest block first.'),
    )
    .get(
      '/mutes',
      ({ viewer, query }) => page('mutes', viewer, query),
      list(
        'listMutes',
        'List your mutes',
        'Whom you mute, latest mute first, without those hidden from you.',
      ),
    )
}

function list(id: string, summary: string, description: string) {
  return {
    query: PageQuery,
    transform: pageLimit,
    afterHandle: nextLink,
    response: { 200: unchecked(UserPage), ...PROBLEMS },
    detail: openapi({
      id,
      tag: 'users',
      summary,
      description,
      errors: ['invalid_cursor'],
      examples: { answer: USER_PAGE_EXAMPLE },
    }),
  }
}

function relationship(
  id: string,
  summary: string,
  description: string,
  errors: readonly ErrorCode[] = [],
) {
  return {
    params: UsernameParams,
    response: NO_CONTENT,
    detail: openapi({
      id,
      tag: 'users',
      summary,
      description: `${description} Repeating it changes nothing.`,
      errors: ['not_found', 'self_target', ...errors],
    }),
  }
}
