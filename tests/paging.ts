import { expect } from 'bun:test'
import type { Client } from '@sns/api/client'

interface PostPage {
  readonly items: readonly { readonly id: string; readonly text: string }[]
  readonly nextCursor: string | null
}

/** All posts of a list, paged to its end; each page's size is chosen by `size`. */
async function pageThrough(
  read: (query: { limit: number; cursor?: string }) => Promise<PostPage>,
  size: () => number,
): Promise<PostPage['items'][number][]> {
  const posts: PostPage['items'][number][] = []
  let cursor: string | null = null
  do {
    const limit = size()
    const page: PostPage = await read(cursor === null ? { limit } : { limit, cursor })
    // A page is short only at the end.
    if (page.nextCursor !== null) expect(page.items).toHaveLength(limit)
    posts.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== null)
  return posts
}

const randomPageSize = () => 1 + Math.floor(Math.random() * 100)

/** The ids of a feed, newest first. */
export async function wholeFeed(client: Client, size = randomPageSize): Promise<string[]> {
  return (await wholeFeedPosts(client, size)).map(({ id }) => id)
}

export function wholeFeedPosts({ v1 }: Client, size = randomPageSize) {
  return pageThrough(async (query) => must(await v1.feed.get({ query })), size)
}

/** The ids of what a search finds, best first. */
export async function wholeSearch({ v1 }: Client, q: string, size = () => 100): Promise<string[]> {
  const posts = await pageThrough(
    async (query) => must(await v1.search.posts.get({ query: { ...query, q } })),
    size,
  )
  return posts.map(({ id }) => id)
}

function must(answer: { readonly data: PostPage | null; readonly status: unknown }): PostPage {
  if (answer.data === null) throw new Error(`answered ${answer.status}`)
  return answer.data
}
