import { Elysia } from 'elysia'
import type { GrantReader } from '../../http/authentication'
import { pageLimit } from '../../http/fields'
import { finishedPage } from '../../http/links'
import { POST_PAGE_EXAMPLE } from '../../http/openapi/examples'
import { openapi, PROBLEMS, unchecked } from '../../http/openapi/operation'
import type { RateLimits } from '../../http/rate-limits'
import type { RequestContexts } from '../../http/request-context'
import { PostPage } from '../posts/schema'
import type { Feed } from './feed'
import { FeedQuery } from './schema'

export interface FeedRoutesDeps {
  readonly grants: GrantReader
  readonly contexts: RequestContexts
  readonly limits: RateLimits
}

/**
 * Checks the session in the round trip that reads the timeline, so it does not use the
 * authentication plugin.
 */
export function feedRoutes(feed: Feed, { grants, contexts, limits }: FeedRoutesDeps) {
  return new Elysia({ prefix: '/v1' }).get(
    '/feed',
    async ({ request, query, set }): Promise<PostPage> => {
      const { headers } = set
      const context = contexts.of(request)
      if (limits.isOn) await limits.address('read', { context, headers })
      const grant = await grants(request)
      const page = await feed.page(grant, query, async (viewer) => {
        if (limits.isOn) await limits.account('read', viewer, { context, headers })
      })
      context.userId = page.viewerId
      return finishedPage(page, { request, set })
    },
    {
      query: FeedQuery,
      transform: pageLimit,
      response: { 200: unchecked(PostPage), ...PROBLEMS },
      detail: openapi({
        id: 'readFeed',
        tag: 'feed',
        summary: 'Read your home feed',
        description:
          'Your own posts and those of the people you follow, newest first, without anyone blocked or muted. Paged to the end, it holds each of these posts exactly once. New posts never shift a page. With `after`, what is new since you last looked.',
        errors: ['invalid_cursor'],
        examples: { answer: POST_PAGE_EXAMPLE },
      }),
    },
  )
}
