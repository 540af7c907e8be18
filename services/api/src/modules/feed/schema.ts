import { type Static, Type } from '@sinclair/typebox'
import { PageQuery } from '../../http/fields'

export const FeedQuery = Type.Object(
  {
    ...PageQuery.properties,
    after: Type.Optional(
      Type.String({
        description:
          'Only what is newer: the id of the newest post that you have, or a cursor of this feed',
        examples: ['373882721828864'],
      }),
    ),
  },
  { additionalProperties: false },
)

export type FeedQuery = Static<typeof FeedQuery>
