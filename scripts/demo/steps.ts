import { createClient } from '@sns/api/client'
import { OperatorError } from '@sns/shared/errors/operator-error'

/** The result of a step, in a line or two, to print. */
export interface StepReport {
  readonly title: string
  readonly milliseconds: number
  readonly lines: readonly string[]
}

const WAIT_MS = 5_000

/**
 * Shows the main steps on a running suite: sign up, follow, read the feed, post, see the post in the feed,
 * search for it. Each step checks its result and throws an `OperatorError` if the result is wrong.
 */
export async function* showSuite(
  url: string,
  { username, password }: { readonly username: string; readonly password: string },
  peopleToFollow: readonly string[],
): AsyncGenerator<StepReport> {
  const word = `hello${Date.now().toString(36)}`

  const signup = await timed(() =>
    createClient(url).v1.auth.signup.post({ username, password, displayName: 'A newcomer' }),
  )
  const session = must(signup.value, 'sign up')
  yield report(`signed up as ${username}`, signup, [`access token for ${session.expiresIn} s`])
  const { v1 } = createClient(url, { token: session.accessToken })

  const follows = await timed(() =>
    Promise.all(peopleToFollow.map((each) => v1.users({ username: each }).follow.put())),
  )
  for (const answer of follows.value) expectStatus(answer.status, 204, 'follow')
  yield report(`followed ${peopleToFollow.length} people`, follows, [peopleToFollow.join(', ')])

  const first = await timed(() => v1.feed.get({ query: { limit: 3 } }))
  const feed = must(first.value, 'read the feed')
  if (feed.items.length < 3 || !feed.nextCursor) throw unexpected('the feed is not filled')
  yield report('read the home feed, built for the first time', first, feed.items.map(postLine))

  const posted = await timed(() => v1.posts.post({ text: `${word}: 첫 글입니다 🎉 my first post` }))
  const post = must(posted.value, 'post')
  yield report('posted', posted, [postLine(post)])

  const again = await timed(() => v1.feed.get({ query: { limit: 3 } }))
  const top = must(again.value, 'read the feed again').items[0]
  if (top?.id !== post.id) throw unexpected('the new post is not on top of its author’s feed')
  yield report('read the feed again: it is on top', again, [postLine(top)])

  const found = await timed(() =>
    until('the new post is found by search', async () => {
      const hits = must(await v1.search.posts.get({ query: { q: word } }), 'search')
      return hits.items.find(({ id }) => id === post.id)
    }),
  )
  yield report('searched until the new post was found', found, [`${found.value.highlight}`])

  const korean = await timed(() => v1.search.posts.get({ query: { q: '영화', limit: 3 } }))
  const hits = must(korean.value, 'search in Korean')
  if (hits.items.length < 3) throw unexpected('the sample has more posts with 영화')
  yield report(
    'searched for 영화 (film)',
    korean,
    hits.items.map(({ highlight }) => shorten(highlight)),
  )
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; milliseconds: number }> {
  const startedAt = performance.now()
  const value = await work()
  return { value, milliseconds: performance.now() - startedAt }
}

function report(
  title: string,
  { milliseconds }: { readonly milliseconds: number },
  lines: readonly string[],
): StepReport {
  return { title, milliseconds, lines }
}

function must<T>(answer: { readonly data: T | null; readonly status: number }, what: string): T {
  if (answer.data === null) throw unexpected(`${what}: answered ${answer.status}`)
  return answer.data
}

function expectStatus(status: number, wanted: number, what: string): void {
  if (status !== wanted) throw unexpected(`${what}: answered ${status}, not ${wanted}`)
}

async function until<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + WAIT_MS
  for (;;) {
    const value = await probe()
    if (value !== undefined) return value
    if (performance.now() > deadline) throw unexpected(`${what}: not within ${WAIT_MS / 1000} s`)
    await Bun.sleep(20)
  }
}

function unexpected(problem: string): OperatorError {
  return new OperatorError(`the demo failed: ${problem}`)
}

function postLine(post: { author: { username: string }; text: string }): string {
  return `@${post.author.username}: ${shorten(post.text)}`
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 90 ? `${[...line].slice(0, 88).join('')}…` : line
}
