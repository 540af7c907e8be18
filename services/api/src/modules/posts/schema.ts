import { type Static, Type } from '@sinclair/typebox'
import { findEntities } from '@sns/shared/domain/entities'
import { formatId } from '@sns/shared/domain/id'
import { POST_TEXT_MAX, type ViewedPost } from '@sns/shared/domain/post'
import { formatTime, IdField, pageOf, TimeField, textField } from '../../http/fields'
import { Author, presentAuthor } from '../users/schema'

export const PostDraft = Type.Object(
  {
    text: textField(POST_TEXT_MAX, '오늘 서울 날씨가 참 좋다'),
  },
  { component: 'PostDraft', additionalProperties: false },
)

const place = {
  start: Type.Integer({ description: 'Where it begins in the text, in code points' }),
  end: Type.Integer({ description: 'Where it ends, exclusive' }),
}

/** Somebody that a text names. */
export const Mention = Type.Object(
  {
    type: Type.Literal('mention'),
    ...place,
    username: Type.String({ description: 'As written; there may be no such user' }),
  },
  { component: 'Mention', additionalProperties: false },
)

export const Hashtag = Type.Object(
  {
    type: Type.Literal('hashtag'),
    ...place,
    tag: Type.String({ description: 'As written, without the sign' }),
  },
  { component: 'Hashtag', additionalProperties: false },
)

export const WebLink = Type.Object(
  {
    type: Type.Literal('link'),
    ...place,
    url: Type.String({
      description:
        'Absolute, http or https; as written, with `https://` where the text has no scheme',
    }),
  },
  { component: 'WebLink', additionalProperties: false },
)

/** What a text names, in its order. */
export const Entities = Type.Array(Type.Union([Mention, Hashtag, WebLink]), {
  description: 'Users, hashtags and web addresses in the text, in its order; more kinds may come',
})

export const Post = Type.Object(
  {
    id: IdField,
    author: Author,
    text: Type.String(),
    entities: Entities,
    createdAt: TimeField,
    editedAt: Type.Union([TimeField, Type.Null()]),
    counts: Type.Object(
      { likes: Type.Integer(), comments: Type.Integer() },
      { additionalProperties: false },
    ),
    viewer: Type.Object(
      { liked: Type.Boolean({ description: 'Whether you like it' }) },
      { additionalProperties: false },
    ),
  },
  { component: 'Post', additionalProperties: false, description: 'A post as you see it' },
)

export const PostPage = pageOf(Post, 'PostPage', 'Posts, newest first')

export type PostDraft = Static<typeof PostDraft>
export type Post = Static<typeof Post>
export type PostPage = Static<typeof PostPage>

export function presentPost({ body, author, counts, liked }: ViewedPost): Post {
  return {
    id: formatId(body.id),
    author: presentAuthor(author),
    text: body.text,
    entities: [...findEntities(body.text)],
    createdAt: formatTime(body.createdAt),
    editedAt: body.editedAt === null ? null : formatTime(body.editedAt),
    counts: { likes: counts.likes, comments: counts.comments },
    viewer: { liked },
  }
}
