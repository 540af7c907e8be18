import { type Static, Type } from '@sinclair/typebox'
import { PageQuery, pageOf } from '../../http/fields'
import { Post } from '../posts/schema'
import { checkRange, readPostQuery, readTime, readUserQuery, SEARCH_QUERY_MAX } from './query'

const QUERY = {
  description: 'Words that must all match, ignoring case and accents; `"quoted words"` in order',
  characters: [1, SEARCH_QUERY_MAX],
  examples: ['서울 날씨'],
}

function timeField(which: string, name: 'since' | 'until') {
  return Type.String({
    description: `Only posts written ${which}: an ISO 8601 date (\`2026-11-23\`, from midnight UTC) or date-time with a zone`,
    formats: ['date', 'date-time'],
    check: (time: string) => readTime(name, time),
  })
}

export const PostSearchQuery = Type.Object(
  {
    q: Type.String({ ...QUERY, check: readPostQuery }),
    author: Type.Optional(Type.String({ description: 'Only posts of this username' })),
    since: Type.Optional(timeField('at or after', 'since')),
    until: Type.Optional(timeField('before', 'until')),
    ...PageQuery.properties,
  },
  {
    additionalProperties: false,
    check: ({ since, until }: { since?: string; until?: string }) =>
      checkRange(readTime('since', since), readTime('until', until)),
  },
)

export const UserSearchQuery = Type.Object(
  { q: Type.String({ ...QUERY, check: readUserQuery }), ...PageQuery.properties },
  { additionalProperties: false },
)

export const PostHit = Type.Object(
  {
    ...Post.properties,
    highlight: Type.String({
      description: 'HTML: the text escaped, with matches in `<mark>`',
      examples: ['오늘 <mark>서울</mark> <mark>날씨</mark>가 참 좋다'],
    }),
  },
  { component: 'PostHit', additionalProperties: false, description: 'A post that matches' },
)

export const PostHitPage = pageOf(PostHit, 'PostHitPage', 'Hits by relevance, newest first on ties')

export type PostSearchQuery = Static<typeof PostSearchQuery>
export type UserSearchQuery = Static<typeof UserSearchQuery>
export type PostHit = Static<typeof PostHit>
export type PostHitPage = Static<typeof PostHitPage>
