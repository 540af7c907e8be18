import { Type } from '@sinclair/typebox'
import { tagKey } from '@sns/shared/domain/entities'
import { PAGE_LIMIT_DEFAULT } from '@sns/shared/domain/page'
import type { TagStore } from '@sns/shared/ports/tag-store'
import { Elysia } from 'elysia'
import type { Authentication } from '../../http/authentication'
import { PageQuery, pageLimit } from '../../http/fields'
import { finishedPage } from '../../http/links'
import { POST_PAGE_EXAMPLE } from '../../http/openapi/examples'
import { openapi, PROBLEMS, unchecked } from '../../http/openapi/operation'
import { readPostPage, type VisiblePosts } from '../../memory/visible-posts'
import { type Post, PostPage } from '../posts/schema'

export interface TagRoutesDeps {
  readonly tags: Pick<TagStore, 'postIds'>
  readonly visiblePosts: VisiblePosts
  readonly authenticated: Authentication
}

const TagParams = Type.Object({ tag: Type.String({ examples: ['서울'] }) })

/** Posts by hashtag. The table of tags trails the posts, so what a post says now decides. */
export function tagRoutes({ tags, visiblePosts, authenticated }: TagRoutesDeps) {
  return new Elysia({ prefix: '/v1' }).use(authenticated).get(
    '/tags/:tag/posts',
    async ({ request, set, viewer, isHeard, params, query }): Promise<PostPage> => {
      const key = tagKey(params.tag)
      const page = await readPostPage(visiblePosts, {
        viewer,
        isHeard,
        list: 'tags',
        cursor: query.cursor,
        limit: query.limit ?? PAGE_LIMIT_DEFAULT,
        ids: (page) => tags.postIds(key, viewer.id, page),
        belongs: (post) => hasTag(post, key),
      })
      return finishedPage(page, { request, set })
    },
    {
      params: TagParams,
      query: PageQuery,
      transform: pageLimit,
      response: { 200: unchecked(PostPage), ...PROBLEMS },
      detail: openapi({
        id: 'listTagPosts',
        tag: 'posts',
        summary: 'List the posts with a hashtag',
        description:
          'Newest first. Case and width do not matter. A new post is here about a second later.',
        errors: ['invalid_cursor'],
        examples: { answer: POST_PAGE_EXAMPLE },
      }),
    },
  )
}

function hasTag({ entities }: Pick<Post, 'entities'>, key: string): boolean {
  return entities.some((each) => each.type === 'hashtag' && tagKey(each.tag) === key)
}
