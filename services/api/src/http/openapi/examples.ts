import type { OpenSessionPage, Session } from '../../modules/accounts/schema'
import type { Comment } from '../../modules/engagement/schema'
import type { NotificationPage } from '../../modules/notifications/schema'
import type { Post, PostPage } from '../../modules/posts/schema'
import type { PostHitPage } from '../../modules/search/schema'
import type { Profile, User, UserPage } from '../../modules/users/schema'

/* Typed by the contract, so that the documentation cannot show what the api does not answer. */

export const USER_EXAMPLE: User = {
  id: '373881246875648',
  username: 'minji',
  displayName: '민지',
  createdAt: '2026-11-23T08:00:00.000Z',
}

export const SESSION_EXAMPLE: Session = {
  user: USER_EXAMPLE,
  accessToken: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIzNzM4ODEyNDY4NzU2NDgifQ.signature',
  refreshToken: 'Yh0v2mC1l8Jd0m8pT3sQv7x5b1nE4rW6uK9zA2cF0gI',
  expiresIn: 900,
}

export const OPEN_SESSION_PAGE_EXAMPLE: OpenSessionPage = {
  items: [
    {
      id: '373881246875649',
      createdAt: '2026-11-23T08:00:00.000Z',
      lastUsedAt: '2026-11-23T09:15:00.000Z',
      expiresAt: '2027-02-21T08:00:00.000Z',
      current: true,
    },
  ],
  nextCursor: null,
}

export const PROFILE_EXAMPLE: Profile = {
  ...USER_EXAMPLE,
  counts: { followers: 1204, following: 87, posts: 341 },
  viewer: { following: true, followedBy: false, muted: false },
}

export const USER_PAGE_EXAMPLE: UserPage = {
  items: [USER_EXAMPLE],
  nextCursor: 'WyJmb2xsb3dzIiwzNzM4ODEyNDY4NzU2NDhd',
}

export const POST_EXAMPLE: Post = {
  id: '373882721828864',
  author: { id: USER_EXAMPLE.id, username: 'minji', displayName: '민지' },
  text: '오늘 #서울 날씨가 참 좋다, @jun',
  entities: [
    { type: 'hashtag', start: 3, end: 6, tag: '서울' },
    { type: 'mention', start: 16, end: 20, username: 'jun' },
  ],
  createdAt: '2026-11-23T08:06:00.000Z',
  editedAt: null,
  counts: { likes: 3, comments: 1 },
  viewer: { liked: true },
}

export const POST_PAGE_EXAMPLE: PostPage = {
  items: [POST_EXAMPLE],
  nextCursor: 'WyJmZWVkIiwzNzM4ODI3MjE4Mjg4NjRd',
}

export const COMMENT_EXAMPLE: Comment = {
  id: '373883213611008',
  postId: POST_EXAMPLE.id,
  author: POST_EXAMPLE.author,
  text: '정말 그렇네요',
  entities: [],
  createdAt: '2026-11-23T08:08:00.000Z',
}

export const NOTIFICATION_PAGE_EXAMPLE: NotificationPage = {
  items: [
    {
      id: 'WyJub3RpZmljYXRpb25zIiwxNzk1NDIwOTAwMDAwLDEsMzczODgxMjQ2ODc1NjQ4LDM3Mzg4MjcyMTgyODg2NF0',
      kind: 'like',
      actor: POST_EXAMPLE.author,
      postId: POST_EXAMPLE.id,
      commentId: null,
      text: POST_EXAMPLE.text,
      createdAt: '2026-11-23T08:15:00.000Z',
      read: false,
    },
  ],
  nextCursor: null,
}

export const POST_HIT_PAGE_EXAMPLE: PostHitPage = {
  items: [
    { ...POST_EXAMPLE, highlight: '오늘 #<mark>서울</mark> <mark>날씨</mark>가 참 좋다, @jun' },
  ],
  nextCursor: null,
}
