import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Client, createClient } from '@sns/client'
import { chromium, type Visitor } from '../browser'
import { openWebSuite, type WebSuite } from '../web-suite'

const PASSWORD = 'correct horse battery'
const TIMEOUT = 180_000

let suite: WebSuite
beforeAll(async () => {
  if (chromium) suite = await openWebSuite()
}, TIMEOUT)
afterAll(() => suite?.[Symbol.asyncDispose]())

let count = 0
/** Somebody signed in at a browser, with a client of the same account. */
async function somebody(
  language = 'en-US',
): Promise<{ at: Visitor; client: Client; name: string }> {
  count += 1
  const name = `visitor_${count}`
  const client = createClient({ url: suite.url })
  const session = await client.signUp({ username: name, password: PASSWORD })
  const at = await suite.visit(suite.url, language)
  await at.open('/settings')
  const stored = { ...session, expiresAt: Date.now() + session.expiresIn * 1_000 }
  await at.page.evaluate(
    `localStorage.setItem('sns.session', ${JSON.stringify(JSON.stringify(stored))})`,
  )
  return { at, client, name }
}

const shown = (selector: string) => `document.querySelectorAll(${JSON.stringify(selector)}).length`

test.skipIf(!chromium)(
  'Back leads to where one was in a long list, also from another site, and shows what one did since',
  async () => {
    const { at, client } = await somebody()
    for (let each = 1; each <= 61; each += 1) await client.createPost({ text: `post ${each}` })
    await at.open('/')
    await at.comesTrue(`(scrollTo(0, document.body.scrollHeight), ${shown('article.post')} === 61)`)
    await at.comesTrue(`document.body.innerText.includes('post 1\\n')`)
    await at.page.evaluate('scrollTo(0, 4000)')
    const y = await at.page.evaluate('scrollY')
    expect(y).toBe(4000)
    // A post that is in sight.
    const text = (await at.page.evaluate(`(() => {
      const post = [...document.querySelectorAll('article.post')].find((each) => each.getBoundingClientRect().top > 100)
      post.querySelector('a.quiet').click()
      return post.querySelector('.text').innerText
    })()`)) as string
    await at.comesTrue(`document.querySelector('h1')?.textContent === 'Post' && scrollY === 0`)
    await at.press('Like, 0 likes')
    await at.sees('♥ 1')
    await at.page.goBack()
    await at.comesTrue(`${shown('article.post')} === 61 && scrollY === ${y}`)
    await at.comesTrue(
      `[...document.querySelectorAll('article.post')].find((each) => each.innerText.includes('♥ 1'))
        ?.querySelector('.text').innerText === ${JSON.stringify(text)}`,
    )

    // Deleted elsewhere meanwhile, and one is new.
    await at.page.goto(`${suite.url}/swagger`)
    const [gone] = (await client.readFeed()).items
    await client.deletePost({ id: gone!.id })
    await at.page.goBack()
    await at.comesTrue(`${shown('article.post')} === 60`)
    expect(Math.abs(Number(await at.page.evaluate('scrollY')) - 4000)).toBeLessThan(300)

    // Loaded anew by hand, it begins at the top with what is new.
    await client.createPost({ text: 'newest of all' })
    await at.page.reload()
    await at.sees('newest of all')
  },
  TIMEOUT,
)

test.skipIf(!chromium)(
  'Back from a post that was deleted there shows it no more',
  async () => {
    const { at, client } = await somebody()
    await client.createPost({ text: 'to stay' })
    await client.createPost({ text: 'to go' })
    await at.open('/')
    await at.sees('to go')
    await at.press('0 comments')
    await at.comesTrue(`document.querySelector('h1')?.textContent === 'Post'`)
    await at.press('Delete')
    await at.press('Really delete?')
    await at.comesTrue(`document.querySelector('h1')?.textContent === 'Home'`)
    await at.page.goBack()
    await at.page.goBack()
    await at.sees('to stay')
    await at.seesNot('to go')
  },
  TIMEOUT,
)

test.skipIf(!chromium)(
  'every page says in its title where one is',
  async () => {
    const { at, client, name } = await somebody()
    const { id } = await client.createPost({ text: 'a text\nthat is #tagged' })
    for (const [path, title] of [
      ['/', 'Home · sns'],
      [`/users/${name}`, `${name} (@${name}) · sns`],
      [`/posts/${id}`, `${name}: a text that is #tagged · sns`],
      ['/tags/tagged', '#tagged · sns'],
      ['/search', 'Search · sns'],
      ['/search?q=some', 'some · Search · sns'],
      ['/notifications', 'Notifications · sns'],
      ['/likes', 'Posts you like · sns'],
      ['/settings', 'Settings · sns'],
      ['/nothing/here', 'Not found · sns'],
    ]) {
      await at.open(path!)
      await at.comesTrue(`document.title === ${JSON.stringify(title)}`)
    }
    await at.open('/')
    await at.press('Settings')
    await at.comesTrue(`document.title === 'Settings · sns'`)
    await at.press('Sign out')
    await at.comesTrue(`document.title === 'Sign in · sns'`)
  },
  TIMEOUT,
)

test.skipIf(!chromium)(
  'what is not there is said on a page, with its status, signed in or not',
  async () => {
    const { at } = await somebody()
    const stranger = await suite.visit()
    for (const visitor of [at, stranger]) {
      for (const path of ['/tags/%E0%A4', '/users/%', '/nope', '/users/a/b', '/posts', '/users/']) {
        const answer = await visitor.page.goto(suite.url + path)
        expect([path, answer?.status()]).toEqual([path, 404])
        await visitor.comesTrue(`document.querySelector('h1')?.textContent === 'Not found'`)
      }
    }
    // There is such a page, and nothing on it.
    for (const path of ['/posts/1', '/users/nobody_here', '/posts/x']) {
      await at.open(path)
      await at.comesTrue(`document.querySelector('h1')?.textContent === 'Not found'`)
    }
    expect(await at.barriers()).toEqual([])
  },
  TIMEOUT,
)

test.skipIf(!chromium)(
  'a long text is folded until one asks for it, and runs the way of its script',
  async () => {
    const { at, client, name } = await somebody()
    await client.createPost({ text: `first${'\n'.repeat(200)}last` })
    await client.createPost({ text: 'x'.repeat(2_000) })
    await client.createPost({ text: 'مرحبا بالعالم' })
    await client.changeAccount({ displayName: 'نورة' })
    await at.open('/')
    await at.sees('مرحبا')
    expect(await at.page.evaluate('document.body.scrollHeight')).toBeLessThan(2_000)
    const runs = (selector: string) =>
      at.page.evaluate(
        `getComputedStyle(document.querySelector(${JSON.stringify(selector)})).direction`,
      )
    expect([await runs('.text'), await runs('.author strong'), await runs('textarea')]).toEqual([
      'rtl',
      'rtl',
      'ltr',
    ])
    await at.fill('What is going on?', 'שלום')
    expect(await runs('textarea')).toBe('rtl')
    expect(await at.page.evaluate(shown('[aria-expanded=false]'))).toBe(2)
    await at.press('Show all')
    await at.press('Show all')
    await at.comesTrue('document.body.scrollHeight > 4000')
    await at.press('Show less')
    await at.press('Show less')
    await at.comesTrue('document.body.scrollHeight < 2000')
    await at.open(`/users/${name}`)
    await at.comesTrue(`getComputedStyle(document.querySelector('h1')).direction === 'rtl'`)
    expect(await at.barriers()).toEqual([])
  },
  TIMEOUT,
)

test.skipIf(!chromium)(
  'after Block one can unblock, and sees nothing of the other, also when one comes back',
  async () => {
    const [{ at, client }, other] = [await somebody(), await somebody()]
    await other.client.createPost({ text: 'seen by followers' })
    await client.followUser({ username: other.name })
    await at.open('/')
    await at.sees('seen by followers')
    await at.press(`${other.name} @${other.name}`)
    await at.press('Block')
    await at.sees('You have blocked this person')
    const buttons = `[...document.querySelectorAll('main button')].map((each) => each.textContent).join()`
    expect(await at.page.evaluate(buttons)).toBe('Unblock')
    await at.page.reload()
    await at.sees('You have blocked this person')
    await at.page.goBack()
    await at.sees('Your feed is empty')
    await at.page.goForward()
    await at.press('Unblock')
    await at.press('Follow')
    await at.sees('Unfollow')
  },
  TIMEOUT,
)

test.skipIf(!chromium)(
  'by keyboard alone: edit, cancel, save and delete leave the focus where one goes on',
  async () => {
    const { at, client } = await somebody()
    await client.createPost({ text: 'below' })
    await client.createPost({ text: 'above' })
    await at.open('/')
    await at.sees('above')
    const { keyboard } = at.page
    const focused = '(document.activeElement.value || document.activeElement.textContent)'
    const focusOn = (name: string) =>
      at.page.evaluate(
        `[...document.querySelectorAll('button')].find((each) => each.textContent === ${JSON.stringify(name)}).focus()`,
      )
    await focusOn('Edit')
    await keyboard.press('Enter')
    await at.comesTrue(`${focused} === 'above'`)
    await keyboard.type('!')
    await focusOn('Cancel')
    await keyboard.press('Enter')
    await at.comesTrue(`${focused} === 'Edit'`)
    await keyboard.press('Enter')
    await keyboard.type(' all')
    await focusOn('Save')
    await keyboard.press('Enter')
    await at.sees('above all')
    await at.comesTrue(`${focused} === 'Edit'`)
    await focusOn('Delete')
    await keyboard.press('Enter')
    await keyboard.press('Enter')
    await at.seesNot('above all')
    await at.comesTrue(`document.activeElement.innerText?.includes('below') === true`)
  },
  TIMEOUT,
)

test.skipIf(!chromium)(
  'a Korean reads what is wrong with a field in Korean, and an error goes with the next success',
  async () => {
    const min = await suite.visit(suite.url, 'ko-KR')
    await min.open('/')
    await min.press('처음이신가요? 가입하기')
    await min.fill('사용자 이름', 'admin')
    await min.fill('표시 이름 (선택)', '보이지 않는 \u200b 문자')
    await min.fill('비밀번호', 'password')
    await min.press('가입')
    await min.sees('예약된 이름은 쓸 수 없습니다')
    await min.sees('흔한 비밀번호는 쓸 수 없습니다')
    await min.sees('보이지 않는 문자는 쓸 수 없습니다')
    const notes = `[...document.querySelectorAll('.problem')].map((each) => each.textContent).join()`
    expect(await min.page.evaluate(notes)).not.toMatch(/[a-z]/i)

    const { at, client } = await somebody()
    await client.createPost({ text: 'to like' })
    await at.open('/')
    await at.sees('to like')
    await at.page.setOfflineMode(true)
    await at.press('Like, 0 likes')
    await at.sees('The server does not answer')
    await at.page.setOfflineMode(false)
    await at.press('Like, 0 likes')
    await at.sees('♥ 1')
    await at.seesNot('The server does not answer')
  },
  TIMEOUT,
)

test.skipIf(!chromium)(
  'what one does in one tab is live in the other',
  async () => {
    const { at } = await somebody()
    await at.open('/')
    const second = await at.another()
    await second.open('/')
    await second.sees('Your feed is empty')
    await at.fill('What is going on?', 'from the first tab')
    await at.press('Post')
    await second.sees('from the first tab')
    await at.press('Like, 0 likes')
    await second.sees('♥ 1')
    await second.press('0 comments')
    await second.comesTrue(`document.querySelector('h1')?.textContent === 'Post'`)
    await at.press('0 comments')
    await at.fill('Write a comment', 'a comment')
    await at.press('Send')
    await second.sees('a comment')
    await at.press('Edit')
    await at.comesTrue(`document.activeElement.value === 'from the first tab'`)
    await at.page.keyboard.type(', edited')
    await at.press('Save')
    await second.sees('from the first tab, edited')
    await second.press('Home')
    await at.press('Delete')
    await at.press('Really delete?')
    await second.seesNot('from the first tab')
  },
  TIMEOUT,
)
