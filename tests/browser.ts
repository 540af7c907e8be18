import axe from 'axe-core'
import puppeteer, { type Browser, type BrowserContext, type Page } from 'puppeteer-core'

export const chromium = Bun.which('chromium') ?? Bun.which('google-chrome')

/** Names of this machine in the browser, which are not `localhost` to it. */
export const [SNS_HOST, APP_HOST] = ['sns.example', 'app.example'] as const

/** A browser that can reach this machine alone. */
export function openBrowser(): Promise<Browser> {
  return puppeteer.launch({
    executablePath: chromium ?? '',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      `--host-resolver-rules=MAP ${SNS_HOST} 127.0.0.1, MAP ${APP_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
    ],
  })
}

/** Somebody at a browser of their own, who acts by what stands on the page. */
export interface Visitor {
  readonly page: Page
  /** What went wrong in the page: errors, requests that failed, what the policy refused. */
  readonly problems: readonly string[]
  open(path: string): Promise<void>
  /** Another tab of the same browser. */
  another(): Promise<Visitor>
  /** Presses the button or follows the link of that name; the first if there are several. */
  press(name: string): Promise<void>
  /** Types into the field of that name. */
  fill(field: string, text: string): Promise<void>
  sees(text: string): Promise<void>
  seesNot(text: string): Promise<void>
  /** Waits until an expression holds in the page. */
  comesTrue(expression: string): Promise<void>
  /** What is wrong for people who use the keyboard, a screen reader or other colours (axe-core). */
  barriers(): Promise<readonly string[]>
}

const WAIT = { timeout: 30_000, polling: 50 } as const

export async function visit(browser: Browser, url: string, language: string): Promise<Visitor> {
  return openTab(await browser.createBrowserContext(), url, language)
}

async function openTab(context: BrowserContext, url: string, language: string): Promise<Visitor> {
  const page = await context.newPage()
  await page.evaluateOnNewDocument((language: string) => {
    Object.defineProperty(navigator, 'language', { get: () => language })
  }, language)
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:'))
      problems.push(`asked ${request.url()}`)
  })
  return {
    page,
    problems,
    another: () => openTab(context, url, language),
    async open(path) {
      await page.goto(url + path, { waitUntil: 'load' })
    },
    async press(name) {
      await page.waitForFunction(
        `(() => {
          const named = [...document.querySelectorAll('button, a')].find(
            (each) => (each.ariaLabel ?? each.textContent.trim()) === ${JSON.stringify(name)},
          )
          if (!named?.checkVisibility() || named.disabled) return false
          named.click()
          return true
        })()`,
        WAIT,
      )
    },
    async fill(field, text) {
      await page.waitForFunction(
        `(() => {
          const named = [...document.querySelectorAll('input, textarea')].find(
            (each) => (each.ariaLabel ?? each.labels[0]?.textContent) === ${JSON.stringify(field)},
          )
          named?.select()
          return document.activeElement === named
        })()`,
        WAIT,
      )
      await page.keyboard.type(text)
    },
    async sees(text) {
      await page.waitForFunction(`document.body.innerText.includes(${JSON.stringify(text)})`, WAIT)
    },
    async seesNot(text) {
      await page.waitForFunction(`!document.body.innerText.includes(${JSON.stringify(text)})`, WAIT)
    },
    async comesTrue(expression) {
      await page.waitForFunction(expression, WAIT)
    },
    async barriers() {
      await page.evaluate(axe.source)
      const { violations } = await page.evaluate(() =>
        (globalThis as unknown as { axe: typeof axe }).axe.run(),
      )
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
      )
    },
  }
}

/**
 * The main job as two people do it: sign up, follow, write, hear of it at once, like, comment, be notified, search,
 * edit, delete, and come back later.
 */
export async function liveThroughTheMainJobInABrowser(url: string): Promise<void> {
  const browser = await openBrowser()
  try {
    const [ada, min] = [await visit(browser, url, 'en-US'), await visit(browser, url, 'ko-KR')]
    const name = Math.random().toString(36).slice(2, 10)

    await ada.open('/')
    await ada.press('New here? Sign up')
    await ada.fill('Username', '!')
    await ada.fill('Password', 'short')
    await ada.press('Sign up')
    await ada.sees('must be 2 to 30 letters')
    await ada.sees('must be 8 to 128 characters')
    await ada.fill('Username', `ada_${name}`)
    await ada.fill('Password', 'correct horse battery')
    await ada.press('Sign up')
    await ada.sees('Your feed is empty')

    await min.open('/')
    await min.press('처음이신가요? 가입하기')
    await min.fill('사용자 이름', `min_${name}`)
    await min.fill('표시 이름 (선택)', '민지')
    await min.fill('비밀번호', 'correct horse battery')
    await min.press('가입')
    await min.sees('피드가 비어 있습니다')

    // Found by search, which trails a write by a second.
    await expectSoon(async () => {
      await min.open(`/search?q=ada_${name}&in=people`)
      await min.press(`ada_${name} @ada_${name}`)
    })
    await min.press('팔로우')
    await min.sees('언팔로우')
    await min.press('홈')
    await min.sees('피드가 비어 있습니다')

    await ada.fill(
      'What is going on?',
      `Hello @min_${name}, 오늘 날씨가 좋다 https://ex.com/a에서 #산책${name}`,
    )
    await ada.press('Post')
    await ada.sees('Hello @min_')
    await min.sees('새 글 1개')
    await min.press('새 글 1개')
    await min.sees('오늘 날씨가 좋다')
    await min.comesTrue(
      `document.querySelector('a[rel="nofollow noopener ugc"]')?.href === 'https://ex.com/a'`,
    )
    await min.press('좋아요, 좋아요 0개')
    await min.press('댓글 0개')
    await min.comesTrue(`document.querySelector('h1')?.textContent === '글'`)
    await min.fill('댓글 쓰기', '정말 <b>좋네요</b>')
    await min.press('보내기')
    await min.sees('정말 <b>좋네요</b>')

    // The mention of one, the follow, the like and the comment of the other.
    await ada.comesTrue(`document.querySelector('.count')?.textContent === '3'`)
    await ada.page.locator('a[href="/notifications"]').click()
    await ada.sees('commented on your post')
    await ada.sees('liked your post')
    await ada.sees('followed you')
    await ada.comesTrue(`document.querySelector('.count') === null`)
    await min.page.locator('a[href="/notifications"]').click()
    await min.sees('님이 나를 언급했습니다')

    await min.open(`/tags/${encodeURIComponent(`산책${name}`)}`)
    await min.sees('오늘 날씨가 좋다')
    await min.open('/search')
    await min.fill('검색어', 'Hello 날씨')
    await min.page.keyboard.press('Enter')
    await min.comesTrue(
      `[...document.querySelectorAll('mark')].some((each) => each.textContent === '날씨')`,
    )

    await ada.open('/')
    await ada.press('Edit')
    await ada.page.locator('.post textarea').fill('Edited since')
    await ada.press('Save')
    await ada.sees('edited')
    await min.press('홈')
    await min.sees('Edited since')
    await ada.press('Delete')
    await ada.press('Really delete?')
    await ada.seesNot('Edited since')

    // Later: the access token has expired, and another tab is opened.
    await min.page.evaluate(`
      const session = JSON.parse(localStorage.getItem('sns.session'))
      const expired = { ...session, accessToken: 'old', expiresAt: 0 }
      localStorage.setItem('sns.session', JSON.stringify(expired))
    `)
    await min.open('/settings')
    await min.sees('이 기기')
    await min.press('English')
    await min.sees('Settings')

    const [own, others] = [`/users/ada_${name}`, `/users/min_${name}`]
    const pages = [
      own,
      `${own}?list=followers`,
      others,
      '/search?q=film',
      '/notifications',
      '/likes',
    ]
    for (const path of ['/', ...pages]) {
      await ada.open(path)
      await ada.comesTrue(`document.querySelector('h1') !== null`)
      await expectNoBarriers(ada, path)
    }
    for (const visitor of [ada, min]) {
      for (const scheme of ['light', 'dark']) {
        await visitor.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
        await expectNoBarriers(visitor, scheme)
      }
    }
    await ada.press('Sign out')
    await ada.sees('New here? Sign up')
    await expectNoBarriers(ada, 'signed out')
    const problems = [...ada.problems, ...min.problems].filter(
      // A refused sign-up and a refused token are answers too.
      (problem) => !/status of (401|422)/.test(problem),
    )
    if (problems.length > 0) throw new Error(problems.join('\n'))
  } finally {
    await browser.close()
  }
}

async function expectNoBarriers(visitor: Visitor, where: string): Promise<void> {
  const barriers = await visitor.barriers()
  if (barriers.length > 0) throw new Error(`${where}: ${barriers.join('\n')}`)
}

async function expectSoon(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}
