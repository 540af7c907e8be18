import { expect, test } from 'bun:test'
import type { PostId, UserId } from '@sns/shared/domain/id'
import type { PublishedPost } from '@sns/shared/domain/post'
import fc from 'fast-check'
import { presentPost } from '../modules/posts/schema'
import { joinPage } from './page-bytes'
import { postOf, textOf, toPiece } from './post-pieces'

/** Texts that look like what stands around them in a piece. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '"', '\\', '","entities":', '"text":"a","entities":[', '한 👍🏽 \ud800'),
  fc.string({ unit: fc.constantFrom('"', '\\', 'a', ',', ':', 'text', 'entities') }),
)

const published = fc
  .record({ id: fc.integer({ min: 1, max: 1e9 }), text, name: text, edited: fc.boolean() })
  .map(({ id, text, name, edited }): PublishedPost => {
    const times = { createdAt: 0, editedAt: edited ? 1 : null }
    const author = { id: 3 as UserId, username: 'ann', displayName: name }
    return {
      body: { id: id as PostId, authorId: author.id, text, version: 1, ...times },
      author,
      counts: { likes: 1, comments: 2 },
    }
  })

test('a page of pieces reads as one that is encoded whole', () => {
  const shown = fc.record({ post: published, liked: fc.boolean(), highlight: fc.option(text) })
  fc.assert(
    fc.property(fc.array(shown, { maxLength: 4 }), fc.option(fc.base64String()), (all, cursor) => {
      const { body, nextCursor } = joinPage(
        all.map(({ post, liked, highlight }) => ({
          id: post.body.id,
          piece: toPiece(post),
          liked,
          ...(highlight !== null && {
            more: Buffer.from(`,"highlight":${JSON.stringify(highlight)}`),
          }),
        })),
        cursor,
      )
      const items = all.map(({ post, liked, highlight }) => ({
        ...presentPost({ ...post, liked }),
        ...(highlight !== null && { highlight }),
      }))
      expect(Buffer.from(body).toString()).toBe(JSON.stringify({ items, nextCursor: cursor }))
      expect(nextCursor).toBe(cursor)
    }),
  )
})

test('the text of a piece is read out of it', () => {
  fc.assert(
    fc.property(published, (post) => {
      const piece = toPiece(post)
      expect(textOf(piece)).toBe(post.body.text)
      expect(postOf(piece).text).toBe(post.body.text)
    }),
  )
})
