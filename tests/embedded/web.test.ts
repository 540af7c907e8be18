import { expect, test } from 'bun:test'
import type { HTTPRequest } from 'puppeteer-core'
import { chromium, liveThroughTheMainJobInABrowser } from '../browser'
import { openWebSuite } from '../web-suite'

test.skipIf(!chromium)(
  'the page: the main job as two people do it, in two languages',
  async () => {
    await using suite = await openWebSuite()
    await liveThroughTheMainJobInABrowser(suite.url)
    expect(await suite.program.stop()).toBe(0)
  },
  300_000,
)

test.skipIf(!chromium)(
  'the page says that the server does not answer, keeps what was written, and goes back',
  async () => {
    await using suite = await openWebSuite()
    const ada = await suite.newcomer('ada')
    await ada.fill('What is going on?', 'first')
    await ada.press('Post')
    await ada.sees('first')
    await ada.page.setOfflineMode(true)
    await ada.press('Like, 0 likes')
    await ada.sees('The server does not answer')
    await ada.sees('♡ 0')
    await ada.fill('What is going on?', 'written in a tunnel')
    await ada.press('Post')
    await ada.page.setOfflineMode(false)
    // Tried again by the client itself, or left in the field.
    await ada.sees('written in a tunnel')
  },
  300_000,
)

test.skipIf(!chromium)(
  'what is written before a list is there is in it, once',
  async () => {
    await using suite = await openWebSuite()
    const ada = await suite.newcomer('ada')

    // Lists that were read before it was written, and arrive after.
    const held: HTTPRequest[] = []
    await ada.page.setRequestInterception(true)
    ada.page.on('request', (request) => {
      const { pathname } = new URL(request.url())
      const isList = pathname === '/v1/feed' || pathname.endsWith('/comments')
      if (request.method() === 'GET' && isList) held.push(request)
      else request.continue()
    })
    const answerLists = async () => {
      const body = JSON.stringify({ items: [], nextCursor: null })
      for (const request of held.splice(0)) {
        await request.respond({ contentType: 'application/json', body })
      }
    }
    const shown = (text: string) =>
      ada.comesTrue(`document.body.innerText.split(${JSON.stringify(text)}).length === 2`)

    await ada.page.reload()
    await ada.fill('What is going on?', 'an early post')
    await ada.press('Post')
    await ada.comesTrue("document.querySelector('textarea')?.value === ''")
    await answerLists()
    await shown('an early post')

    await ada.press('0 comments')
    await ada.comesTrue("document.querySelector('h1')?.textContent === 'Post'")
    await ada.fill('Write a comment', 'an early comment')
    await ada.press('Send')
    await ada.comesTrue("document.querySelector('textarea')?.value === ''")
    await answerLists()
    await shown('an early comment')
  },
  300_000,
)
