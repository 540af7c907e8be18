import type { CommentId, FollowId, PostId, UserId } from '../domain/id'

export interface LoadedUser {
  readonly id: UserId
  readonly username: string
}

export interface LoadedFollow {
  readonly id: FollowId
  readonly follower: UserId
  readonly followee: UserId
}

export interface LoadedPost {
  readonly id: PostId
  readonly authorId: UserId
  readonly text: string
  /** Unix milliseconds. */
  readonly createdAt: number
}

/** A post that was written elsewhere. */
export interface LoadedNote extends LoadedPost {
  /** Names it among all that its author wrote elsewhere: 64 hexadecimal digits. */
  readonly note: string
}

export interface LoadedComment {
  readonly id: CommentId
  readonly post: PostId
  /** Who wrote the post: nobody else's is commented on. */
  readonly postAuthor: UserId
  readonly authorId: UserId
  readonly text: string
  /** Unix milliseconds. */
  readonly createdAt: number
}

export type ImportStep = 'users' | 'follows' | 'posts' | 'comments'

/** How far an import has come: how many inputs of each step are done. */
export interface ImportState {
  /** When it began, Unix milliseconds: what its ids are made from, so that a resumed import repeats them. */
  readonly startedAt: number
  readonly done: Readonly<Record<ImportStep, number>>
}

/**
 * Loads rows in bulk. `source` names an input by its content; each call writes its rows and how many
 * inputs of the step are done in one transaction, so that an import cut off anywhere goes on where it
 * was, without a row lost or twice. Follows that exist already are passed over. Loaded rows reach the
 * change log like any others.
 *
 * Errors: `username_taken` where a user exists that this import did not make; `store_unavailable`.
 */
export interface BulkLoader {
  /** Begins the import of `source`, or says how far it had come. */
  open(source: string): Promise<ImportState>
  loadUsers(
    source: string,
    users: readonly LoadedUser[],
    passwordHash: string,
    done: number,
  ): Promise<void>
  /** How many of `follows` were new. */
  loadFollows(source: string, follows: readonly LoadedFollow[], done: number): Promise<number>
  /** A post whose id is taken gets the next that is free. */
  loadPosts(source: string, posts: readonly LoadedPost[], done: number): Promise<void>
  /**
   * Posts of one author, but for those that an earlier call loaded (by `note`, even if the post is gone since) and those
   * that the author has here already, of the same time with the same text. How many were new. May be repeated.
   */
  loadNotes(notes: readonly LoadedNote[]): Promise<number>
  /** Of those whose post is there; how many they were. A comment whose id is taken gets the next that is free. */
  loadComments(source: string, comments: readonly LoadedComment[], done: number): Promise<number>
  /** For the end: makes the database look at the rows anew where it plans queries by what it knows of them. */
  refreshStatistics(): Promise<void>
}
