import { expect, test } from 'bun:test'
import { chromium, SNS_HOST } from '../browser'
import { openWebSuite } from '../web-suite'

test.skipIf(!chromium)(
  'the page over plain http from another machine: one can write, like and hear of others',
  async () => {
    await using suite = await openWebSuite()
    const url = `http://${SNS_HOST}:${suite.port}`
    const ada = await suite.newcomer('ada', url)
    expect(await ada.page.evaluate('isSecureContext')).toBe(false)
    await ada.fill('What is going on?', 'written without TLS')
    await ada.press('Post')
    await ada.sees('written without TLS')
    await ada.press('Like, 0 likes')
    await ada.press('0 comments')
    await ada.fill('Write a comment', 'and commented')
    await ada.press('Send')
    await ada.sees('and commented')

    const bob = await suite.newcomer('bob', url)
    await bob.open('/users/ada')
    await bob.press('Follow')
    await ada.comesTrue(`document.querySelector('.count')?.textContent === '1'`)
    expect([...ada.problems, ...bob.problems]).toEqual([])
  },
  300_000,
)
