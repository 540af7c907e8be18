import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import type { Browser } from 'puppeteer-core'
import { freePort, spawnProgram } from '../scripts/process/program-process'
import { chromium, openBrowser, type Visitor, visit } from './browser'

if (!chromium) console.log('SKIPPED: no Chromium on the PATH to open the page in')

export type WebSuite = Awaited<ReturnType<typeof openWebSuite>>

/** An embedded suite of its own with a browser in front of it. */
export async function openWebSuite(settings: Readonly<Record<string, string>> = {}) {
  await using opened = new AsyncDisposableStack()
  const folder = opened.use(await temporaryFolder())
  const port = freePort()
  const url = `http://127.0.0.1:${port}`
  const program = opened.use(
    spawnProgram('start', [], {
      DATABASE_URL: `sqlite:${folder.path}/sns.db`,
      WEB_PORT: String(port),
      ...settings,
    }),
  )
  await program.ready(url)
  const browser: Browser = await openBrowser()
  opened.defer(() => browser.close())
  const resources = opened.move()
  return {
    url,
    port,
    program,
    browser,
    visit: (at = url, language = 'en-US') => visit(browser, at, language),
    /** Somebody who has just signed up, before an empty feed. */
    async newcomer(name: string, at = url): Promise<Visitor> {
      const visitor = await visit(browser, at, 'en-US')
      await visitor.open('/')
      await visitor.press('New here? Sign up')
      await visitor.fill('Username', name)
      await visitor.fill('Password', 'correct horse battery')
      await visitor.press('Sign up')
      await visitor.sees('Your feed is empty')
      return visitor
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
