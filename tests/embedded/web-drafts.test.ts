import { expect, test } from 'bun:test'
import { createClient } from '@sns/client'
import type { HTTPRequest } from 'puppeteer-core'
import { chromium } from '../browser'
import { openWebSuite } from '../web-suite'

test.skipIf(!chromium)(
  'a draft survives links and a reload, goes when it is sent or one signs out, and is sent once',
  async () => {
    await using suite = await openWebSuite()
    const ada = await suite.newcomer('ada')
    const client = createClient({ url: suite.url })
    await client.logIn({ username: 'ada', password: 'correct horse battery' })
    const field = (text: string) =>
      ada.comesTrue(`document.querySelector('textarea')?.value === ${JSON.stringify(text)}`)

    await ada.fill('What is going on?', 'half a thought')
    await ada.press('Settings')
    await ada.comesTrue(`document.querySelector('h1')?.textContent === 'Settings'`)
    await ada.press('Home')
    await field('half a thought')
    await ada.page.reload()
    await field('half a thought')

    // The api takes it, and the answers are lost.
    let lost = 0
    const lose = async (request: HTTPRequest) => {
      if (request.method() !== 'POST' || lost >= 3) return request.continue()
      lost += 1
      const { method, headers, body } = {
        method: 'POST',
        headers: request.headers(),
        body: request.postData() ?? '',
      }
      await fetch(request.url(), { method, headers, body })
      await request.abort()
    }
    await ada.page.setRequestInterception(true)
    ada.page.on('request', lose)
    await ada.press('Post')
    await ada.sees('The server does not answer')
    await ada.page.reload()
    await field('half a thought')
    await ada.press('Post')
    await field('')
    expect((await client.readFeed()).items.map(({ text }) => text)).toEqual(['half a thought'])

    // Another text is another post.
    lost = 0
    await ada.fill('What is going on?', 'first')
    await ada.press('Post')
    await ada.sees('The server does not answer')
    await ada.fill('What is going on?', 'second')
    await ada.press('Post')
    await field('')
    expect((await client.readFeed()).items.map(({ text }) => text).slice(0, 2)).toEqual([
      'second',
      'first',
    ])

    lost = 0
    await ada.press('0 comments')
    await ada.fill('Write a comment', 'said once')
    await ada.press('Send')
    await ada.sees('The server does not answer')
    await ada.press('Send')
    await field('')
    const { id, counts } = (await client.readFeed()).items[0]!
    expect(counts).toMatchObject({ comments: 1 })
    expect((await client.listComments({ id })).items.map(({ text }) => text)).toEqual(['said once'])

    await ada.press('Home')
    await ada.fill('What is going on?', 'for nobody else')
    await ada.press('Sign out')
    await ada.sees('New here? Sign up')
    expect(await ada.page.evaluate('JSON.stringify({ ...sessionStorage })')).not.toContain('nobody')
    await ada.fill('Username', 'ada')
    await ada.fill('Password', 'correct horse battery')
    await ada.press('Sign in')
    await field('')

    // A sign-up that was carried out and not answered.
    const left = ada.page.waitForResponse((response) => response.url().endsWith('/v1/auth/logout'))
    await ada.press('Sign out')
    await left
    await ada.press('New here? Sign up')
    lost = 2
    await ada.fill('Username', 'bob')
    await ada.fill('Password', 'correct horse battery')
    await ada.press('Sign up')
    await ada.sees('The server does not answer')
    await ada.press('Sign up')
    await ada.sees('Your feed is empty')
  },
  300_000,
)
