import { Elysia } from 'elysia'
import type { Authentication } from '../../http/authentication'
import type { Bodies } from '../../http/body'
import { tagged } from '../../http/entity-tag'
import { IdParams, PageQuery, pageLimit, UsernameParams } from '../../http/fields'
import { IDEMPOTENCY_KEY, IdempotencyHeaders, markReplayed, REPLAYED } from '../../http/idempotency'
import { nextLink } from '../../http/links'
import { POST_EXAMPLE, POST_PAGE_EXAMPLE } from '../../http/openapi/examples'
import { LOCATION, NO_CONTENT, openapi, PROBLEMS, unchecked } from '../../http/openapi/operation'
import { Post, PostDraft, PostPage } from './schema'
import type { createPostService } from './service'

export function postRoutes(
  posts: ReturnType<typeof createPostService>,
  { bodies, authenticated }: { readonly bodies: Bodies; readonly authenticated: Authentication },
) {
  return new Elysia({ prefix: '/v1' })
    .use(authenticated)
    .post(
      '/posts',
      async ({ viewer, body, headers, set, status }) => {
        const { post, replayed } = await posts.create(viewer, body.text, headers[IDEMPOTENCY_KEY])
        set.headers.location = `/v1/posts/${post.id}`
        if (replayed) markReplayed(set.headers)
        return status(201, post)
      },
      {
        parse: bodies.write,
        body: PostDraft,
        headers: IdempotencyHeaders,
        response: { 201: unchecked(Post), ...PROBLEMS },
        detail: openapi({
          id: 'createPost',
          tag: 'posts',
          summary: 'Write a post',
          description:
            "The post is in your own feed at once, and in your followers' feeds and in search about a second later. With an `Idempotency-Key`, a repeat within a day returns the first post, or 404 if it was deleted.",
          errors: ['idempotency_key_reused', 'not_found'],
          examples: { request: { text: POST_EXAMPLE.text }, answer: POST_EXAMPLE },
          answerHeaders: { Location: LOCATION, ...REPLAYED },
        }),
      },
    )
    .get(
      '/posts/:id',
      async ({ viewer, params, request, set }) =>
        tagged(await posts.read(params.id, viewer.id), { request, set }),
      {
        params: IdParams,
        response: { 200: unchecked(Post), ...PROBLEMS },
        detail: openapi({
          id: 'readPost',
          tag: 'posts',
          summary: 'Read a post',
          description: 'A post as you see it.',
          errors: ['not_found'],
          hasEntityTag: true,
          examples: { answer: POST_EXAMPLE },
        }),
      },
    )
    .patch(
      '/posts/:id',
      ({ viewer, params, body }) => posts.edit(params.id, viewer.id, body.text),
      {
        parse: bodies.write,
        params: IdParams,
        body: PostDraft,
        response: { 200: unchecked(Post), ...PROBLEMS },
        detail: openapi({
          id: 'editPost',
          tag: 'posts',
          summary: 'Edit a post',
          description: 'Changes the text of your own post and sets `editedAt`.',
          errors: ['not_found', 'forbidden'],
          examples: {
            request: { text: POST_EXAMPLE.text },
            answer: { ...POST_EXAMPLE, editedAt: '2026-11-23T08:10:00.000Z' },
          },
        }),
      },
    )
    .delete(
      '/posts/:id',
      async ({ viewer, params, status }) => status(204, await posts.delete(params.id, viewer.id)),
      {
        params: IdParams,
        response: NO_CONTENT,
        detail: openapi({
          id: 'deletePost',
          tag: 'posts',
          summary: 'Delete a post',
          description:
            'Removes your own post with its likes and comments, from every feed at once.',
          errors: ['not_found', 'forbidden'],
        }),
      },
    )
    .get(
      '/users/:username/posts',
      ({ viewer, params, query }) => posts.byAuthor(params.username, viewer.id, query),
      {
        params: UsernameParams,
        query: PageQuery,
        transform: pageLimit,
        afterHandle: nextLink,
        response: { 200: unchecked(PostPage), ...PROBLEMS },
        detail: openapi({
          id: 'listUserPosts',
          tag: 'posts',
          summary: "List a user's posts",
          description: 'Newest first. A mute does not hide them here.',
          errors: ['not_found', 'invalid_cursor'],
          examples: { answer: POST_PAGE_EXAMPLE },
        }),
      },
    )
}
