import type { UserId } from '@sns/shared/domain/id'
import { PAGE_LIMIT_DEFAULT } from '@sns/shared/domain/page'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import { Elysia } from 'elysia'
import type { Authentication } from '../../http/authentication'
import { readIdCursor, writeIdCursor } from '../../http/cursors'
import { tagged } from '../../http/entity-tag'
import { PageQuery, pageLimit, UsernameParams } from '../../http/fields'
import { nextLink } from '../../http/links'
import { PROFILE_EXAMPLE, USER_PAGE_EXAMPLE } from '../../http/openapi/examples'
import { openapi, PROBLEMS, unchecked } from '../../http/openapi/operation'
import { noSuchUser, type UserLookup } from './lookup'
import { Profile, presentProfile, presentUser, UserPage } from './schema'

export interface UserRoutesDeps {
  readonly users: Pick<UserStore, 'findProfile'>
  readonly graph: Pick<GraphStore, 'followers' | 'following'>
  readonly lookup: UserLookup
  readonly authenticated: Authentication
}

export function userRoutes({ users, graph, lookup, authenticated }: UserRoutesDeps) {
  async function followPage(
    list: 'followers' | 'following',
    username: string,
    viewer: UserId,
    query: PageQuery,
  ): Promise<UserPage> {
    const before = readIdCursor<'follow'>('follows', query.cursor)
    const user = await lookup.visibleOrThrow(username, viewer)
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT
    const { items, next } = await graph[list](user.id, viewer, { before, limit })
    return { items: items.map(presentUser), nextCursor: writeIdCursor('follows', next) }
  }

  return new Elysia({ prefix: '/v1/users/:username' })
    .use(authenticated)
    .get(
      '',
      async ({ params, viewer, request, set }) => {
        const profile = await users.findProfile(params.username, viewer.id)
        if (!profile) throw noSuchUser()
        return tagged(presentProfile(profile), { request, set })
      },
      {
        params: UsernameParams,
        response: { 200: unchecked(Profile), ...PROBLEMS },
        detail: openapi({
          id: 'readProfile',
          tag: 'users',
          summary: 'Read a profile',
          description: "A user's profile with counts and your relationship. Case does not matter.",
          errors: ['not_found'],
          hasEntityTag: true,
          examples: { answer: PROFILE_EXAMPLE },
        }),
      },
    )
    .get(
      '/followers',
      ({ params, viewer, query }) => followPage('followers', params.username, viewer.id, query),
      list('listFollowers', 'List followers', 'Who follows the user'),
    )
    .get(
      '/following',
      ({ params, viewer, query }) => followPage('following', params.username, viewer.id, query),
      list('listFollowing', 'List people followed', 'Whom the user follows'),
    )
}

function list(id: string, summary: string, who: string) {
  return {
    params: UsernameParams,
    query: PageQuery,
    transform: pageLimit,
    afterHandle: nextLink,
    response: { 200: unchecked(UserPage), ...PROBLEMS },
    detail: openapi({
      id,
      tag: 'users',
      summary,
      description: `${who}, latest follow first, without users hidden from you.`,
      errors: ['not_found', 'invalid_cursor'],
      examples: { answer: USER_PAGE_EXAMPLE },
    }),
  }
}
