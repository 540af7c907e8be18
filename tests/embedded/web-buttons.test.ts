import { expect, test } from 'bun:test'
import { createClient, ProblemError } from '@sns/client'
import { eventually } from '@sns/shared/testing/eventually'
import { chromium } from '../browser'
import { openWebSuite } from '../web-suite'

const PASSWORD = 'correct horse battery'

test.skipIf(!chromium)(
  'each button does at the api what it says',
  async () => {
    await using suite = await openWebSuite()
    const ada = await suite.newcomer('ada')
    const client = createClient({ url: suite.url })
    await client.logIn({ username: 'ada', password: PASSWORD })
    const bob = createClient({ url: suite.url })
    await bob.signUp({ username: 'bob', password: PASSWORD })
    const post = await bob.createPost({ text: 'by bob' })
    const names = async (list: 'listBlocks' | 'listMutes') =>
      (await client[list]()).items.map(({ username }) => username).join()
    const viewer = async () => (await client.readProfile({ username: 'bob' })).viewer
    const seen = () => client.readPost({ id: post.id })

    await ada.open('/users/bob')
    await ada.press('Follow')
    await eventually(async () => (await viewer()).following)
    await ada.press('Unfollow')
    await eventually(async () => !(await viewer()).following)
    await ada.press('Mute')
    await eventually(async () => (await viewer()).muted)
    await ada.press('Unmute')
    await eventually(async () => !(await viewer()).muted)
    await ada.press('Like, 0 likes')
    await eventually(async () => (await seen()).viewer.liked)
    await ada.press('Like, 1 like')
    await eventually(async () => !(await seen()).viewer.liked)

    await ada.press('0 comments')
    await ada.fill('Write a comment', 'by ada')
    await ada.press('Send')
    await eventually(async () => (await seen()).counts.comments === 1)
    await ada.press('Delete')
    await ada.press('Really delete?')
    await eventually(async () => (await seen()).counts.comments === 0)
    await ada.seesNot('by ada')

    await ada.press('Home')
    await ada.fill('What is going on?', 'mine')
    await ada.press('Post')
    await eventually(async () => (await client.readFeed()).items[0]?.text === 'mine')
    await ada.press('Edit')
    await ada.comesTrue(`document.activeElement?.value === 'mine'`)
    await ada.page.keyboard.type(', edited')
    await ada.press('Save')
    await eventually(async () => (await client.readFeed()).items[0]?.text === 'mine, edited')
    await ada.press('Delete')
    await ada.press('Really delete?')
    await eventually(async () => (await client.readFeed()).items.length === 0)

    await ada.open('/users/bob')
    await ada.press('Block')
    await eventually(async () => (await names('listBlocks')) === 'bob')
    await ada.press('Settings')
    await ada.press('Unblock')
    await eventually(async () => (await names('listBlocks')) === '')
    await client.muteUser({ username: 'bob' })
    await ada.page.reload()
    await ada.press('Unmute')
    await eventually(async () => (await names('listMutes')) === '')

    // The client's is the other session.
    const isOver = (error: unknown) =>
      error instanceof ProblemError && error.code === 'unauthenticated'
    await ada.press('End')
    await eventually(async () => client.readAccount().then(() => false, isOver))

    await ada.fill('Display name', 'Ada L.')
    await ada.press('Save')
    await ada.sees('Saved.')
    expect((await bob.readProfile({ username: 'ada' })).displayName).toBe('Ada L.')
    await ada.fill('Current password', PASSWORD)
    await ada.fill('New password', 'another long one')
    await ada.press('Change password')
    await ada.sees('The password is changed')
    await client.logIn({ username: 'ada', password: 'another long one' })

    await ada.fill('Username', 'ada')
    await ada.fill('Password', 'another long one')
    await ada.press('Sign in')
    await eventually(async () => (await client.listSessions()).items.length === 2)
    await ada.press('Sign out')
    await ada.sees('New here?')
    await eventually(async () => (await client.listSessions()).items.length === 1)
    await ada.fill('Username', 'ada')
    await ada.fill('Password', 'another long one')
    await ada.press('Sign in')
    await ada.press('Settings')
    await ada.fill('Password', 'another long one')
    await ada.press('Delete account')
    await ada.sees('New here?')
    await eventually(async () =>
      bob.readProfile({ username: 'ada' }).then(
        () => false,
        () => true,
      ),
    )
  },
  300_000,
)
