import { formatId } from '@sns/shared/domain/id'
import type { Author, User } from '@sns/shared/domain/user'
import type { Profile } from '@sns/shared/ports/user-store'
import { formatTime } from '../../http/fields'
import type * as contract from './schema'

export function presentUser(user: User): contract.User {
  return {
    id: formatId(user.id),
    username: user.username,
    displayName: user.displayName,
    createdAt: formatTime(user.createdAt),
  }
}

export function presentProfile(profile: Profile): contract.Profile {
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

export function presentAuthor(author: Author) {
  return {
    id: formatId(author.id),
    username: author.username,
    displayName: author.displayName,
  }
}
