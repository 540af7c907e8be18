import type { UserId } from '@sns/shared/domain/id'
import type { FollowPair, GraphStore } from '@sns/shared/ports/graph-store'

/** Some of those whose home timelines show an author's posts. */
export interface Audience {
  readonly author: UserId
  readonly users: readonly UserId[]
}

/** The authors themselves and all their followers, by pages, so that memory does not grow with them. */
export async function* audiences(
  graph: Pick<GraphStore, 'followersOf'>,
  authors: readonly UserId[],
  pageSize: number,
): AsyncGenerator<Audience> {
  if (authors.length === 0) return
  let users = new Map<UserId, UserId[]>(authors.map((author) => [author, [author]]))
  let after: FollowPair | null = null
  for (;;) {
    const pairs: readonly FollowPair[] = await graph.followersOf(authors, after, pageSize)
    for (const { author, follower } of pairs) {
      const known = users.get(author)
      if (known) known.push(follower)
      else users.set(author, [follower])
    }
    for (const [author, some] of users) yield { author, users: some }
    if (pairs.length < pageSize) return
    after = pairs.at(-1) ?? null
    users = new Map()
  }
}
