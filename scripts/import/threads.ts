/** Which posts of an input answer which. What answers a reply belongs under the post that the first one answers. */
export interface Threads {
  /**
   * Takes the posts in their order, by the ids that the input gives them: null for a post of its own; the number, from 0,
   * of the post that a reply belongs under; undefined where that was not before it.
   */
  rootOf(post: {
    readonly id: string | null
    readonly replyTo: string | null
  }): number | null | undefined
}

export function createThreads(): Threads {
  const roots = new Map<string, number>()
  let posts = 0
  return {
    rootOf({ id, replyTo }) {
      const root = replyTo === null ? null : roots.get(replyTo)
      if (root === undefined) return undefined
      if (id !== null) roots.set(id, root ?? posts)
      if (root === null) posts += 1
      return root
    },
  }
}
