import { PageQuery } from '@sns/shared/contract/http/fields'
import { PostPage } from '@sns/shared/contract/http/post'
import { Elysia } from 'elysia'
import type { Authentication } from '../../plugins/authentication'
import { PROBLEMS, unchecked } from '../../plugins/openapi/answers'
import { POST_PAGE_EXAMPLE } from '../../plugins/openapi/examples'
import { documented } from '../../plugins/openapi/operation'
import { pageLimit } from '../../plugins/page-limit'
import type { createFeedService } from './service'

export function feedRoutes(
  feed: ReturnType<typeof createFeedService>,
  authenticated: Authentication,
) {
  return new Elysia({ prefix: '/v1' })
    .use(authenticated)
    .get('/feed', ({ viewer, query }) => feed.page(viewer, query), {
      query: PageQuery,
      transform: pageLimit,
      response: { 200: unchecked(PostPage), ...PROBLEMS },
      detail: documented({
        tag: 'feed',
        summary: 'Read your home feed',
        description:
          'Your own posts and those of the people you follow, newest first, without anyone blocked or muted. Paged to the end it holds every one of them exactly once; new posts never shift a page.',
        errors: ['invalid_cursor'],
        examples: { answer: POST_PAGE_EXAMPLE },
      }),
    })
}
