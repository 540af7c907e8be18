import { type Static, Type } from '@sinclair/typebox'
import { formatId } from '@sns/shared/domain/id'
import type * as domain from '@sns/shared/domain/user'
import type * as stored from '@sns/shared/ports/user-store'
import { formatTime, IdField, pageOf, TimeField, UsernameField } from '../../http/fields'

const authorFields = { id: IdField, username: UsernameField, displayName: Type.String() }

/** Who wrote something. */
export const Author = Type.Object(authorFields, {
  component: 'Author',
  additionalProperties: false,
})

export const User = Type.Object(
  { ...authorFields, createdAt: TimeField },
  {
    component: 'User',
    additionalProperties: false,
    description: 'The public part of a user',
  },
)

export const Profile = Type.Object(
  {
    ...User.properties,
    counts: Type.Object(
      { followers: Type.Integer(), following: Type.Integer(), posts: Type.Integer() },
      { additionalProperties: false },
    ),
    viewer: Type.Object(
      { following: Type.Boolean(), followedBy: Type.Boolean(), muted: Type.Boolean() },
      { additionalProperties: false, description: 'Your relationship to the user' },
    ),
  },
  {
    component: 'Profile',
    additionalProperties: false,
    description: "A user's profile as you see it",
  },
)

export const UserPage = pageOf(User, 'UserPage', 'Users')

export type User = Static<typeof User>
export type Profile = Static<typeof Profile>
export type UserPage = Static<typeof UserPage>

export function presentUser(user: domain.User): User {
  return {
    id: formatId(user.id),
    username: user.username,
    displayName: user.displayName,
    createdAt: formatTime(user.createdAt),
  }
}

export function presentProfile(profile: stored.Profile): Profile {
  const { counts, viewer } = profile
  return {
    ...presentUser(profile),
    counts: { followers: counts.followers, following: counts.following, posts: counts.posts },
    viewer: {
      following: viewer.following,
      followedBy: viewer.followedBy,
      muted: viewer.muted,
    },
  }
}

export function presentAuthor(author: domain.Author) {
  return {
    id: formatId(author.id),
    username: author.username,
    displayName: author.displayName,
  }
}
