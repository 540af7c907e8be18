/* Made from the OpenAPI document by scripts/client-contract.ts. Change the routes, not this file. */

/** What to change; at least one field */
export interface AccountChange {
  /** The name that others see; one line, without invisible characters */
  displayName?: string | undefined
  /** 8 to 128 characters, not only blanks, and none of the commonest passwords */
  password?: string | undefined
  /** Needed to change the password */
  currentPassword?: string | undefined
}

export interface AccountDeletion {
  /** Your current password */
  password: string
}

export interface Author {
  /** A decimal id of up to 16 digits, ordered by time */
  id: string
  /** Case is kept and ignored in comparisons. Names that staff would use are reserved */
  username: string
  displayName: string
}

/** A comment */
export interface Comment {
  /** A decimal id of up to 16 digits, ordered by time */
  id: string
  /** A decimal id of up to 16 digits, ordered by time */
  postId: string
  author: Author
  text: string
  /** Users, hashtags and web addresses in the text, in its order; more kinds may come */
  entities: (Mention | Hashtag | WebLink)[]
  /** ISO 8601, UTC, milliseconds */
  createdAt: string
}

export interface CommentDraft {
  /** 1 to 1000 characters, not all of them invisible, at most 30 combining marks in a row; trimmed and normalised to NFC */
  text: string
}

/** Comments, oldest first */
export interface CommentPage {
  items: Comment[]
  /** Pass it as `cursor` for the next page; null only at the true end */
  nextCursor: string | null
}

export interface Hashtag {
  type: 'hashtag'
  /** Where it begins in the text, in code points */
  start: number
  /** Where it ends, exclusive */
  end: number
  /** As written, without the sign */
  tag: string
}

export interface Login {
  username: string
  password: string
}

export interface Mention {
  type: 'mention'
  /** Where it begins in the text, in code points */
  start: number
  /** Where it ends, exclusive */
  end: number
  /** As written; there may be no such user */
  username: string
}

export interface Notification {
  /** Opaque; later ones are read later */
  id: string
  /** What happened */
  kind: 'follow' | 'like' | 'comment' | 'mention'
  actor: Author
  /** A decimal id of up to 16 digits, ordered by time */
  postId: string | null
  /** A decimal id of up to 16 digits, ordered by time */
  commentId: string | null
  /** Of the comment, else of the post */
  text: string | null
  /** ISO 8601, UTC, milliseconds */
  createdAt: string
  read: boolean
}

/** Your notifications, newest first */
export interface NotificationPage {
  items: Notification[]
  /** Pass it as `cursor` for the next page; null only at the true end */
  nextCursor: string | null
}

/** An open session */
export interface OpenSession {
  /** A decimal id of up to 16 digits, ordered by time */
  id: string
  /** ISO 8601, UTC, milliseconds */
  createdAt: string
  /** When it was last refreshed */
  lastUsedAt: string
  /** When it ends at the latest; it ends earlier if unused for 30 days */
  expiresAt: string
  /** Whether this request came from it */
  current: boolean
}

/** Your sessions, latest start first */
export interface OpenSessionPage {
  items: OpenSession[]
  /** Pass it as `cursor` for the next page; null only at the true end */
  nextCursor: string | null
}

/** A post as you see it */
export interface Post {
  /** A decimal id of up to 16 digits, ordered by time */
  id: string
  author: Author
  text: string
  /** Users, hashtags and web addresses in the text, in its order; more kinds may come */
  entities: (Mention | Hashtag | WebLink)[]
  /** ISO 8601, UTC, milliseconds */
  createdAt: string
  /** ISO 8601, UTC, milliseconds */
  editedAt: string | null
  counts: {
    likes: number
    comments: number
  }
  viewer: {
    /** Whether you like it */
    liked: boolean
  }
}

export interface PostDraft {
  /** 1 to 2000 characters, not all of them invisible, at most 30 combining marks in a row; trimmed and normalised to NFC */
  text: string
}

/** A post that matches */
export interface PostHit {
  /** A decimal id of up to 16 digits, ordered by time */
  id: string
  author: Author
  text: string
  /** Users, hashtags and web addresses in the text, in its order; more kinds may come */
  entities: (Mention | Hashtag | WebLink)[]
  /** ISO 8601, UTC, milliseconds */
  createdAt: string
  /** ISO 8601, UTC, milliseconds */
  editedAt: string | null
  counts: {
    likes: number
    comments: number
  }
  viewer: {
    /** Whether you like it */
    liked: boolean
  }
  /** HTML: the text escaped, with matches in `<mark>` */
  highlight: string
}

/** Hits by relevance, newest first on ties */
export interface PostHitPage {
  items: PostHit[]
  /** Pass it as `cursor` for the next page; null only at the true end */
  nextCursor: string | null
}

/** Posts, newest first */
export interface PostPage {
  items: Post[]
  /** Pass it as `cursor` for the next page; null only at the true end */
  nextCursor: string | null
}

/** What went wrong */
export interface Problem {
  /** Names the kind of problem: `urn:sns:problem:` and the code */
  type: string
  /** The same text for every problem with this code */
  title: string
  status: number
  /** Stable; programs should check this */
  code:
    | 'invalid_request'
    | 'malformed_json'
    | 'invalid_cursor'
    | 'unauthenticated'
    | 'bad_credentials'
    | 'refresh_token_invalid'
    | 'refresh_token_reused'
    | 'forbidden'
    | 'blocked'
    | 'not_found'
    | 'route_not_found'
    | 'method_not_allowed'
    | 'username_taken'
    | 'idempotency_key_reused'
    | 'self_target'
    | 'body_too_large'
    | 'unsupported_media_type'
    | 'too_many_requests'
    | 'internal'
    | 'store_unavailable'
  /** What is wrong this time, and what to do */
  detail?: string | undefined
  /** Every invalid field, in a 422 */
  fields?:
    | {
        /** Where: `username`, `query.limit` */
        field: string
        message: string
      }[]
    | undefined
  /** As in `X-Request-Id`; quote it to the operator */
  requestId: string
}

/** A user's profile as you see it */
export interface Profile {
  /** A decimal id of up to 16 digits, ordered by time */
  id: string
  /** Case is kept and ignored in comparisons. Names that staff would use are reserved */
  username: string
  displayName: string
  /** ISO 8601, UTC, milliseconds */
  createdAt: string
  counts: {
    followers: number
    following: number
    posts: number
  }
  /** Your relationship to the user */
  viewer: {
    following: boolean
    followedBy: boolean
    muted: boolean
  }
}

export interface ReadMarker {
  /** The id of the newest notification that was seen */
  until: string
}

export interface RefreshTokenBody {
  /** The latest refresh token that you received */
  refreshToken: string
}

/** A session */
export interface Session {
  user: User
  /** A JWT for `Authorization: Bearer` */
  accessToken: string
  /** Valid for one refresh within 30 days. Using it again ends the session, except once within 10 seconds */
  refreshToken: string
  /** Seconds until the access token expires */
  expiresIn: number
}

/** A new account; `displayName` defaults to the username */
export interface Signup {
  /** Case is kept and ignored in comparisons. Names that staff would use are reserved */
  username: string
  /** 8 to 128 characters, not only blanks, and none of the commonest passwords */
  password: string
  /** The name that others see; one line, without invisible characters */
  displayName?: string | undefined
}

export interface UnreadCount {
  /** Counted up to 100 */
  unread: number
}

/** The public part of a user */
export interface User {
  /** A decimal id of up to 16 digits, ordered by time */
  id: string
  /** Case is kept and ignored in comparisons. Names that staff would use are reserved */
  username: string
  displayName: string
  /** ISO 8601, UTC, milliseconds */
  createdAt: string
}

/** Users */
export interface UserPage {
  items: User[]
  /** Pass it as `cursor` for the next page; null only at the true end */
  nextCursor: string | null
}

export interface WebLink {
  type: 'link'
  /** Where it begins in the text, in code points */
  start: number
  /** Where it ends, exclusive */
  end: number
  /** Absolute, http or https; as written, with `https://` where the text has no scheme */
  url: string
}

/** What each operation takes and answers. */
export interface Operations {
  /** Block a user. Ends the follows in both directions and hides each of you from the other. Repeating it changes nothing. */
  blockUser: {
    input: {
      username: string
    }
    answer: undefined
  }
  /** Change your account. Changes the display name, the password or both. A new password needs the current one and ends every session, including this one: log in again. */
  changeAccount: { input: AccountChange; answer: User }
  /** Count your unread notifications. Those after the newest that you marked as read, up to 100. */
  countUnreadNotifications: { input: Record<never, never>; answer: UnreadCount }
  /** Comment on a post. Adds a comment after all others. With an `Idempotency-Key`, a repeat within a day returns the first comment, or 404 if it was deleted. */
  createComment: {
    input: {
      id: string
      /** A repeat of the request with the same key returns what the first one made, with `Idempotency-Replayed: true` */
      idempotencyKey?: string | undefined
    } & CommentDraft
    answer: Comment
  }
  /** Write a post. The post is in your own feed at once, and in your followers' feeds and in search about a second later. With an `Idempotency-Key`, a repeat within a day returns the first post, or 404 if it was deleted. */
  createPost: {
    input: {
      /** A repeat of the request with the same key returns what the first one made, with `Idempotency-Replayed: true` */
      idempotencyKey?: string | undefined
    } & PostDraft
    answer: Post
  }
  /** Delete your account. Needs the password. Deletes the account and everything it wrote: posts, comments, likes, follows, blocks, mutes and sessions. This cannot be undone. Nobody can take the username for 30 days. */
  deleteAccount: { input: AccountDeletion; answer: undefined }
  /** Delete a comment. Removes your own comment. */
  deleteComment: {
    input: {
      id: string
    }
    answer: undefined
  }
  /** Delete a post. Removes your own post with its likes and comments, from every feed at once. */
  deletePost: {
    input: {
      id: string
    }
    answer: undefined
  }
  /** Edit a post. Changes the text of your own post and sets `editedAt`. */
  editPost: {
    input: {
      id: string
    } & PostDraft
    answer: Post
  }
  /** End one of your sessions. Its refresh and access tokens stop working with the next request. */
  endSession: {
    input: {
      id: string
    }
    answer: undefined
  }
  /** Follow a user. Shows their posts in your feed. Not possible across a block. Repeating it changes nothing. */
  followUser: {
    input: {
      username: string
    }
    answer: undefined
  }
  /** Like a post. Repeating it changes nothing. */
  likePost: {
    input: {
      id: string
    }
    answer: undefined
  }
  /** List your blocks. Whom you block, latest block first. */
  listBlocks: {
    input: {
      /** How many items at most */
      limit?: number | undefined
      /** `nextCursor` of the previous page; opaque, valid for one list, never expires */
      cursor?: string | undefined
    }
    answer: UserPage
  }
  /** List comments. Oldest first, without comments by users hidden from you. */
  listComments: {
    input: {
      id: string
      /** How many items at most */
      limit?: number | undefined
      /** `nextCursor` of the previous page; opaque, valid for one list, never expires */
      cursor?: string | undefined
    }
    answer: CommentPage
  }
  /** List followers. Who follows the user, latest follow first, without users hidden from you. */
  listFollowers: {
    input: {
      username: string
      /** How many items at most */
      limit?: number | undefined
      /** `nextCursor` of the previous page; opaque, valid for one list, never expires */
      cursor?: string | undefined
    }
    answer: UserPage
  }
  /** List people followed. Whom the user follows, latest follow first, without users hidden from you. */
  listFollowing: {
    input: {
      username: string
      /** How many items at most */
      limit?: number | undefined
      /** `nextCursor` of the previous page; opaque, valid for one list, never expires */
      cursor?: string | undefined
    }
    answer: UserPage
  }
  /** List the posts that you like. Newest post first, without those hidden from you. */
  listLikedPosts: {
    input: {
      /** How many items at most */
      limit?: number | undefined
      /** `nextCursor` of the previous page; opaque, valid for one list, never expires */
      cursor?: string | undefined
    }
    answer: PostPage
  }
  /** List who likes a post. Latest like first, without users hidden from you. */
  listLikers: {
    input: {
      id: string
      /** How many items at most */
      limit?: number | undefined
      /** `nextCursor` of the previous page; opaque, valid for one list, never expires */
      cursor?: string | undefined
    }
    answer: UserPage
  }
  /** List your mutes. Whom you mute, latest mute first, without those hidden from you. */
  listMutes: {
    input: {
      /** How many items at most */
      limit?: number | undefined
      /** `nextCursor` of the previous page; opaque, valid for one list, never expires */
      cursor?: string | undefined
    }
    answer: UserPage
  }
  /** List your notifications. Newest first: who followed you, liked your posts, commented on them or named you, about a second later and for 90 days. Without anyone blocked or muted, and without what was taken back. */
  listNotifications: {
    input: {
      /** How many items at most */
      limit?: number | undefined
      /** `nextCursor` of the previous page; opaque, valid for one list, never expires */
      cursor?: string | undefined
    }
    answer: NotificationPage
  }
  /** List your sessions. Open sessions, latest start first. */
  listSessions: {
    input: {
      /** How many items at most */
      limit?: number | undefined
      /** `nextCursor` of the previous page; opaque, valid for one list, never expires */
      cursor?: string | undefined
    }
    answer: OpenSessionPage
  }
  /** List the posts with a hashtag. Newest first. Case and width do not matter. A new post is here about a second later. */
  listTagPosts: {
    input: {
      tag: string
      /** How many items at most */
      limit?: number | undefined
      /** `nextCursor` of the previous page; opaque, valid for one list, never expires */
      cursor?: string | undefined
    }
    answer: PostPage
  }
  /** List a user's posts. Newest first. A mute does not hide them here. */
  listUserPosts: {
    input: {
      username: string
      /** How many items at most */
      limit?: number | undefined
      /** `nextCursor` of the previous page; opaque, valid for one list, never expires */
      cursor?: string | undefined
    }
    answer: PostPage
  }
  /** Sign in. Starts a session. An unknown user and a wrong password get the same answer. */
  logIn: { input: Login; answer: Session }
  /** Sign out. Ends the session of a refresh token and its access tokens with it. It needs only the refresh token, so it works after the access token has expired. Unknown tokens are ignored. */
  logOut: { input: RefreshTokenBody; answer: undefined }
  /** Mark notifications as read. That one, which must be yours, and all before it. Repeating it changes nothing; it never goes back. */
  markNotificationsRead: { input: ReadMarker; answer: undefined }
  /** Mute a user. Hides their posts from your feed. They are not told. Repeating it changes nothing. */
  muteUser: {
    input: {
      username: string
    }
    answer: undefined
  }
  /** Read your account. The account of the bearer token. */
  readAccount: { input: Record<never, never>; answer: User }
  /** Read your home feed. Your own posts and those of the people you follow, newest first, without anyone blocked or muted. Paged to the end, it holds each of these posts exactly once. New posts never shift a page. With `after`, what is new since you last looked. */
  readFeed: {
    input: {
      /** How many items at most */
      limit?: number | undefined
      /** `nextCursor` of the previous page; opaque, valid for one list, never expires */
      cursor?: string | undefined
      /** Only what is newer: the id of the newest post that you have, or a cursor of this feed */
      after?: string | undefined
    }
    answer: PostPage
  }
  /** Read a post. A post as you see it. */
  readPost: {
    input: {
      id: string
    }
    answer: Post
  }
  /** Read a profile. A user's profile with counts and your relationship. Case does not matter. */
  readProfile: {
    input: {
      username: string
    }
    answer: Profile
  }
  /** Refresh a session. Gives a new access token and replaces the refresh token. The replaced token works once more within 10 seconds: two tabs may refresh at once, or a response may be lost. Any other use of a replaced token means that it leaked, and ends the session. */
  refreshSession: { input: RefreshTokenBody; answer: Session }
  /** Search posts. By relevance, newest first on ties. All words must match, ignoring case and accents. A Korean noun of two syllables or more is found with any particle. New posts are found about a second later. */
  searchPosts: {
    input: {
      /** Words that must all match, ignoring case and accents; `"quoted words"` in order */
      q: string
      /** Only posts of this username */
      author?: string | undefined
      /** Only posts written at or after: an ISO 8601 date (`2026-11-23`, from midnight UTC) or date-time with a zone */
      since?: string | undefined
      /** Only posts written before: an ISO 8601 date (`2026-11-23`, from midnight UTC) or date-time with a zone */
      until?: string | undefined
      /** How many items at most */
      limit?: number | undefined
      /** `nextCursor` of the previous page; opaque, valid for one list, never expires */
      cursor?: string | undefined
    }
    answer: PostHitPage
  }
  /** Search users. By the beginning of the username or by words of the display name. */
  searchUsers: {
    input: {
      /** Words that must all match, ignoring case and accents; `"quoted words"` in order */
      q: string
      /** How many items at most */
      limit?: number | undefined
      /** `nextCursor` of the previous page; opaque, valid for one list, never expires */
      cursor?: string | undefined
    }
    answer: UserPage
  }
  /** Sign up. Creates an account and signs it in. The display name defaults to the username. */
  signUp: { input: Signup; answer: Session }
  /** Unblock a user. Removes your block. The follows that it ended stay ended. Repeating it changes nothing. */
  unblockUser: {
    input: {
      username: string
    }
    answer: undefined
  }
  /** Unfollow a user. Removes their posts from your feed. Repeating it changes nothing. */
  unfollowUser: {
    input: {
      username: string
    }
    answer: undefined
  }
  /** Remove a like. Repeating it changes nothing. */
  unlikePost: {
    input: {
      id: string
    }
    answer: undefined
  }
  /** Unmute a user. Shows their posts in your feed again. Repeating it changes nothing. */
  unmuteUser: {
    input: {
      username: string
    }
    answer: undefined
  }
}

/** Where each operation is. */
export const ROUTES = {
  blockUser: 'PUT /v1/users/{username}/block',
  changeAccount: 'PATCH /v1/me',
  countUnreadNotifications: 'GET /v1/notifications/unread',
  createComment: 'POST /v1/posts/{id}/comments',
  createPost: 'POST /v1/posts',
  deleteAccount: 'DELETE /v1/me',
  deleteComment: 'DELETE /v1/comments/{id}',
  deletePost: 'DELETE /v1/posts/{id}',
  editPost: 'PATCH /v1/posts/{id}',
  endSession: 'DELETE /v1/me/sessions/{id}',
  followUser: 'PUT /v1/users/{username}/follow',
  likePost: 'PUT /v1/posts/{id}/like',
  listBlocks: 'GET /v1/me/blocks',
  listComments: 'GET /v1/posts/{id}/comments',
  listFollowers: 'GET /v1/users/{username}/followers',
  listFollowing: 'GET /v1/users/{username}/following',
  listLikedPosts: 'GET /v1/me/likes',
  listLikers: 'GET /v1/posts/{id}/likes',
  listMutes: 'GET /v1/me/mutes',
  listNotifications: 'GET /v1/notifications',
  listSessions: 'GET /v1/me/sessions',
  listTagPosts: 'GET /v1/tags/{tag}/posts',
  listUserPosts: 'GET /v1/users/{username}/posts',
  logIn: 'POST /v1/auth/login',
  logOut: 'POST /v1/auth/logout',
  markNotificationsRead: 'PUT /v1/notifications/read',
  muteUser: 'PUT /v1/users/{username}/mute',
  readAccount: 'GET /v1/me',
  readFeed: 'GET /v1/feed',
  readPost: 'GET /v1/posts/{id}',
  readProfile: 'GET /v1/users/{username}',
  refreshSession: 'POST /v1/auth/refresh',
  searchPosts: 'GET /v1/search/posts',
  searchUsers: 'GET /v1/search/users',
  signUp: 'POST /v1/auth/signup',
  unblockUser: 'DELETE /v1/users/{username}/block',
  unfollowUser: 'DELETE /v1/users/{username}/follow',
  unlikePost: 'DELETE /v1/posts/{id}/like',
  unmuteUser: 'DELETE /v1/users/{username}/mute',
} as const satisfies Record<keyof Operations, string>

/** The operations that take an `Idempotency-Key`. */
export const KEYED: readonly (keyof Operations)[] = ['createComment', 'createPost']
