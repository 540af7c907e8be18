import { Elysia } from 'elysia'
import type { Authentication } from '../../http/authentication'
import { PageQuery, pageLimit, UsernameParams } from '../../http/fields'
import { PROFILE_EXAMPLE, USER_PAGE_EXAMPLE } from '../../http/openapi/examples'
import { openapi, PROBLEMS, unchecked } from '../../http/openapi/operation'
import { Profile, UserPage } from './schema'
import type { createUserService } from './service'

export function userRoutes(
  users: ReturnType<typeof createUserService>,
  authenticated: Authentication,
) {
  return new Elysia({ prefix: '/v1/users/:username' })
    .use(authenticated)
    .get('', ({ params, viewer }) => users.profile(params.username, viewer.id), {
      params: UsernameParams,
      response: { 200: unchecked(Profile), ...PROBLEMS },
      detail: openapi({
        tag: 'users',
        summary: 'Read a profile',
        description: 'A user with counts and how you stand to them. Case does not matter.',
        errors: ['not_found'],
        examples: { answer: PROFILE_EXAMPLE },
      }),
    })
    .get(
      '/followers',
      ({ params, viewer, query }) => users.followers(params.username, viewer.id, query),
      list('List followers', 'Who follows the user'),
    )
    .get(
      '/following',
      ({ params, viewer, query }) => users.following(params.username, viewer.id, query),
      list('List people followed', 'Whom the user follows'),
    )
}

function list(summary: string, who: string) {
  return {
    params: UsernameParams,
    query: PageQuery,
    transform: pageLimit,
    response: { 200: unchecked(UserPage), ...PROBLEMS },
    detail: openapi({
      tag: 'users',
      summary,
      description: `${who}, latest follow first, without those hidden from you.`,
      errors: ['not_found', 'invalid_cursor'],
      examples: { answer: USER_PAGE_EXAMPLE },
    }),
  }
}
