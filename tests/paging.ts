import { expect } from 'bun:test'
import type { Client } from '@sns/api/client'

interface PostPage {
  readonly items: readonly { readonly id: string; readonly text: string }[]
  readonly nextCursor: string | null
}

/** All ids of a list, paged to its end; each page's size is chosen by `size`. */
async function pageThrough(
  read: (query: { limit: number; cursor?: string }) => Promise<PostPage>,
  size: () => number,
): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | null = null
  do {
    const limit = size()
    const page: PostPage = await read(cursor === null ? { limit } : { limit, cursor })
    // A page is short only at the end.
    if (page.nextCursor !== null) expect(page.items).toHaveLength(limit)
    ids.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  } while (cursor !== null)
  return ids
}

const randomPageSize = () => 1 + Math.floor(Math.random() * 100)

export function wholeFeed({ v1 }: Client, size = randomPageSize): Promise<string[]> {
  return pageThrough(async (query) => must(await v1.feed.get({ query })), size)
}

export function wholeSearch({ v1 }: Client, q: string, size = () => 100): Promise<string[]> {
  return pageThrough(
    async (query) => must(await v1.search.posts.get({ query: { ...query, q } })),
    size,
  )
}

function must(answer: { readonly data: PostPage | null; readonly status: unknown }): PostPage {
  if (answer.data === null) throw new Error(`answered ${answer.status}`)
  return answer.data
}
