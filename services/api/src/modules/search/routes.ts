import { Elysia } from 'elysia'
import type { Authentication } from '../../http/authentication'
import { pageLimit } from '../../http/fields'
import { finishedPage, nextLink } from '../../http/links'
import { POST_HIT_PAGE_EXAMPLE, USER_PAGE_EXAMPLE } from '../../http/openapi/examples'
import { openapi, PROBLEMS, unchecked } from '../../http/openapi/operation'
import { UserPage } from '../users/schema'
import { PostHitPage, PostSearchQuery, UserSearchQuery } from './schema'
import type { createSearchService } from './service'

export function searchRoutes(
  search: ReturnType<typeof createSearchService>,
  authenticated: Authentication,
) {
  return new Elysia({ prefix: '/v1/search' })
    .use(authenticated)
    .get(
      '/posts',
      async ({ request, set, viewer, isHeard, query }): Promise<PostHitPage> =>
        finishedPage(await search.posts(viewer, query, isHeard), { request, set }),
      {
        query: PostSearchQuery,
        transform: pageLimit,
        response: { 200: unchecked(PostHitPage), ...PROBLEMS },
        detail: openapi({
          id: 'searchPosts',
          tag: 'search',
          summary: 'Search posts',
          description:
            'By relevance, newest first on ties. All words must match, ignoring case and accents. A Korean noun of two syllables or more is found with any particle. New posts are found about a second later.',
          errors: ['invalid_cursor'],
          examples: { answer: POST_HIT_PAGE_EXAMPLE },
        }),
      },
    )
    .get('/users', ({ viewer, query }) => search.users(viewer.id, query), {
      query: UserSearchQuery,
      transform: pageLimit,
      afterHandle: nextLink,
      response: { 200: unchecked(UserPage), ...PROBLEMS },
      detail: openapi({
        id: 'searchUsers',
        tag: 'search',
        summary: 'Search users',
        description: 'By the beginning of the username or by words of the display name.',
        errors: ['invalid_cursor'],
        examples: { answer: USER_PAGE_EXAMPLE },
      }),
    })
}
