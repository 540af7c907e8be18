import { expect } from 'bun:test'
import { type Client, createClient } from '@sns/api/client'
import {
  createClient as createSnsClient,
  memorySession,
  type ServerEvent,
  type Session,
} from '@sns/client'
import { eventually } from '@sns/shared/testing/eventually'

export interface Person {
  readonly username: string
  readonly client: Client
  readonly token: string
  readonly session: Session
}

/** Of everybody who signs up here. */
export const PASSWORD = 'correct horse battery staple'

/** Signs up a new user over HTTP. */
export async function signUp(url: string, name: string): Promise<Person> {
  const username = `${name}_${Math.random().toString(36).slice(2, 10)}`
  const { data, status } = await createClient(url).v1.auth.signup.post({
    username,
    password: PASSWORD,
  })
  if (!data) throw new Error(`sign up answered ${status}`)
  const token = data.accessToken
  return { username, client: createClient(url, { token }), token, session: data }
}

/** A unique word. */
export function rareWord(): string {
  return `zq${Math.random().toString(36).slice(2)}`
}

/**
 * The main job of two users over HTTP: sign up → follow → post → it is in the follower's feed
 * and found by search; then edit and delete, which hold from the next read on.
 */
export async function liveThroughTheMainJob(url: string): Promise<void> {
  const [writer, reader] = await Promise.all([signUp(url, 'writer'), signUp(url, 'reader')])
  const { v1 } = reader.client
  expect((await v1.users({ username: writer.username }).follow.put()).status).toBe(204)
  // The reader's timeline exists before the post, so that the post has to come by fan-out.
  expect((await v1.feed.get()).data?.items).toEqual([])

  const word = rareWord()
  const text = `${word} 오늘 본 영화가 참 좋았다 🎬`
  const posted = await writer.client.v1.posts.post({ text })
  expect(posted.status).toBe(201)
  const id = posted.data!.id
  expect((await writer.client.v1.feed.get()).data?.items[0]?.id).toBe(id)

  await eventually(async () => (await v1.feed.get()).data?.items[0]?.id === id, {
    what: 'the post is in the follower’s feed',
  })
  const hit = await eventually(() => find(v1, word, id), {
    what: 'the post is found by search',
  })
  expect(hit.highlight).toContain(`<mark>${word}</mark>`)
  expect((await v1.search.posts.get({ query: { q: `${word} 영화` } })).data?.items).toHaveLength(1)

  const edited = rareWord()
  await writer.client.v1.posts({ id }).patch({ text: `${word} ${edited}` })
  expect((await v1.feed.get()).data?.items[0]?.text).toBe(`${word} ${edited}`)
  await eventually(() => find(v1, edited, id), { what: 'the edit is found' })

  await writer.client.v1.posts({ id }).delete()
  expect((await v1.feed.get()).data?.items).toEqual([])
  expect((await v1.search.posts.get({ query: { q: word } })).data?.items).toEqual([])
}

/**
 * Two people meet: a mention, a like and a follow are told, a hashtag is listed, and a listening client hears of all of
 * it; what is taken back is told no longer.
 */
export async function liveThroughAMeeting(url: string): Promise<void> {
  const [writer, reader] = await Promise.all([signUp(url, 'writer'), signUp(url, 'reader')])
  const listener = createSnsClient({ url, session: memorySession(sessionOf(reader)) })
  const heard: ServerEvent[] = []
  const stop = new AbortController()
  const listening = (async () => {
    for await (const event of listener.events({ signal: stop.signal })) heard.push(event)
  })()

  expect((await reader.client.v1.users({ username: writer.username }).follow.put()).status).toBe(
    204,
  )
  const tag = rareWord()
  const posted = await writer.client.v1.posts.post({ text: `@${reader.username} 안녕 #${tag}` })
  const id = posted.data!.id
  const told = async (person: Person) =>
    (await person.client.v1.notifications.get()).data?.items.map(({ kind }) => kind) ?? []
  await eventually(async () => (await told(reader)).includes('mention'))
  await eventually(async () => (await told(writer)).includes('follow'))
  await eventually(async () => {
    const { data } = await reader.client.v1.tags({ tag: tag.toUpperCase() }).posts.get()
    return data?.items[0]?.id === id
  })
  await eventually(() => new Set(heard.map(({ kind }) => kind)).size === 2, {
    what: 'posts and a notification are heard',
  })

  await reader.client.v1.posts({ id }).like.put()
  await eventually(async () => (await told(writer)).includes('like'))
  await reader.client.v1.posts({ id }).like.delete()
  expect(await told(writer)).toEqual(['follow'])
  await writer.client.v1.posts({ id }).delete()
  expect(await told(reader)).toEqual([])
  stop.abort()
  await listening
}

function sessionOf({ session }: Person) {
  return { ...session, expiresAt: Date.now() + session.expiresIn * 1_000 }
}

async function find(v1: Client['v1'], q: string, id: string) {
  const { data } = await v1.search.posts.get({ query: { q } })
  return data?.items.find((post) => post.id === id)
}
