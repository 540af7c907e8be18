import { createClient } from '@sns/api/client'
import type { Person } from '../journey'
import type { FeedModel, ReadList, SeenPost } from './feed-model'

export interface RaceDeps {
  readonly model: FeedModel
  readonly urls: readonly string[]
  readonly tally: RaceTally
}

/** What all clients did, and what was wrong. */
export interface RaceTally {
  /** Lists read to their end, and their pages. */
  lists: number
  pages: number
  /** Answers of 503. */
  refused: number
  written: number
  readonly wrong: string[]
}

/** Own posts that a client keeps at most: it deletes some beyond. */
const POSTS_MAX = 12
const PATIENCE_MS = 30_000

/**
 * One of many who read and write at once, each request at another api. It does one thing after the other, so it knows
 * what its own pages must show.
 */
export function createRacingClient(
  person: Person,
  followed: readonly Person[],
  { model, urls, tally }: RaceDeps,
) {
  const { username: me, token } = person
  const clients = new Map(urls.map((url) => [url, createClient(url, { token })]))
  const own = new Map<string, string>()
  const likeable = new Map<string, string>()
  const following = new Set(followed.map(({ username }) => username))
  let numbers = 0

  const any = <Item>(items: readonly Item[]): Item =>
    items[Math.floor(Math.random() * items.length)] as Item
  function api(url = any(urls)) {
    const client = clients.get(url)
    if (!client) throw new Error(`no api at ${url}`)
    return client.v1
  }
  const patience = () => ({ fetch: { signal: AbortSignal.timeout(PATIENCE_MS) } })

  /** Whether a write was answered as done; 503: nobody knows. Anything else is wrong, unless `orElse`. */
  function isDone(what: string, status: number, orElse: readonly number[] = []): boolean {
    if (status >= 200 && status < 300) {
      tally.written += 1
      return true
    }
    if (status === 503) tally.refused += 1
    else if (model.isJudging() && !orElse.includes(status))
      tally.wrong.push(`${me}: ${what} answered ${status}`)
    return false
  }

  async function write(at?: string): Promise<boolean> {
    const { key, text } = model.write(me, numbers++)
    const { data, status } = await api(at).posts.post({ text }, patience())
    if (!isDone('a post', Number(status)) || !data) return false
    model.written(key)
    own.set(key, data.id)
    return true
  }

  async function edit(at?: string): Promise<boolean> {
    const [key, id] = any([...own])
    const { text, edited } = model.askEdit(key)
    const { status } = await api(at).posts({ id }).patch({ text }, patience())
    const isEdited = isDone('an edit', Number(status))
    if (isEdited) edited()
    return isEdited
  }

  async function remove(): Promise<void> {
    const [key, id] = any([...own])
    own.delete(key)
    const { deleted } = model.askDelete(key)
    const { status } = await api().posts({ id }).delete(undefined, patience())
    if (isDone('a deletion', Number(status))) deleted()
  }

  /** Likes a post that it saw, or takes that back; the post may be gone by now. */
  async function like(): Promise<void> {
    const [key, id] = any([...likeable])
    const isLike = Math.random() < 0.6
    const asked = model.begin()
    model.setLike(me, key, 'unknown', asked)
    const at = api().posts({ id }).like
    const { status } = isLike
      ? await at.put(undefined, patience())
      : await at.delete(undefined, patience())
    if (isDone('a like', Number(status), [404])) {
      model.setLike(me, key, isLike ? 'yes' : 'no', asked)
    }
  }

  async function follow(): Promise<void> {
    const { username } = any(followed)
    const isFollow = !following.has(username)
    const since = model.begin()
    model.setFollow(me, username, 'unknown', since)
    const at = api().users({ username }).follow
    const { status } = isFollow
      ? await at.put(undefined, patience())
      : await at.delete(undefined, patience())
    if (isFollow) following.add(username)
    else following.delete(username)
    if (isDone('a follow', Number(status))) {
      model.setFollow(me, username, isFollow ? 'yes' : 'no', since)
    }
  }

  /** Reads to the end; gives up where a page is refused. */
  async function read(list: ReadList, at?: string): Promise<void> {
    const due = model.beginRead(me, list)
    const limit = any([2, 5, 20, 50])
    const items: SeenPost[] = []
    let cursor: string | null = null
    do {
      const query = { limit, ...(cursor === null ? {} : { cursor }) }
      const v1 = api(at)
      const routes = { feed: v1.feed, own: v1.users({ username: me }).posts, likes: v1.me.likes }
      const answer: {
        readonly data: {
          readonly items: readonly SeenPost[]
          readonly nextCursor: string | null
        } | null
        readonly status: unknown
      } = await routes[list].get({ query, ...patience() })
      if (!answer.data) return void isDone('a page', Number(answer.status))
      tally.pages += 1
      items.push(...answer.data.items)
      cursor = answer.data.nextCursor
      if (cursor !== null && answer.data.items.length < limit && model.isJudging()) {
        tally.wrong.push(`${me}: a short page`)
      }
    } while (cursor !== null)
    tally.lists += 1
    for (const each of due.wrongIn(items)) tally.wrong.push(`${me}, ${list}: ${each}`)
    for (const each of due.lackingIn(items)) {
      tally.wrong.push(`${me}, ${list}, ${limit} a page, ${items.length} in all: lacks ${each}`)
    }
    for (const { id, text } of items) likeable.set(text.split(' ').slice(0, 2).join(' '), id)
  }

  async function act(): Promise<void> {
    const chance = Math.random()
    if (chance < 0.5) return read('feed')
    if (chance < 0.56) return read('likes')
    if (chance < 0.62) return read('own')
    if (chance < 0.74) return void (own.size < POSTS_MAX ? await write() : await remove())
    if (chance < 0.84) return void (own.size > 0 ? await edit() : await write())
    if (chance < 0.88) return void (own.size > 0 ? await remove() : await write())
    if (chance < 0.95) return likeable.size > 0 ? like() : read('feed')
    return follow()
  }

  return {
    write,
    edit,
    read,
    /** Leaves alone what the database has lost. */
    forgetLost(): void {
      for (const posts of [own, likeable]) {
        for (const key of posts.keys()) if (!model.has(key)) posts.delete(key)
      }
    },
    /** What follows from now on, as the model is to know it. */
    async begin(): Promise<void> {
      for (const { username } of followed) {
        const since = model.begin()
        const { status } = await api().users({ username }).follow.put()
        if (!isDone('a follow', Number(status))) throw new Error(`a follow answered ${status}`)
        model.setFollow(me, username, 'yes', since)
      }
    },
    async race(isOver: () => boolean): Promise<void> {
      while (!isOver()) await act()
    },
  }
}
