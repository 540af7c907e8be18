import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { idTime, type UserId } from '../domain/id'
import { USERNAME_REST_MS } from '../domain/user'
import { isSnsError } from '../errors/sns-error'
import type { GraphStore } from '../ports/graph-store'
import type { SessionStore } from '../ports/session-store'
import type { UserStore } from '../ports/user-store'
import type { ManualClock } from './manual-clock'
import {
  freshUserId,
  freshUsername,
  passwordHashOf,
  signUp,
  signUpAll,
  startSession,
} from './people'

export interface UserStoreHarness extends AsyncDisposable {
  readonly clock: ManualClock
  readonly users: UserStore
  readonly graph: GraphStore
  readonly sessions: SessionStore
}

const NOBODY = 1 as UserId

/** What every `UserStore` promises. The tests share one store, each with people of its own. */
export function userStoreConformance(create: () => Promise<UserStoreHarness>): void {
  describe('UserStore', () => {
    let harness: UserStoreHarness
    let users: UserStore

    beforeAll(async () => {
      harness = await create()
      users = harness.users
    })
    afterAll(() => harness[Symbol.asyncDispose]())

    test('keeps what it was given, byte by byte', async () => {
      const displayName = '한국 👩‍👩‍👧 \\ \' " % _ \u202Ertl e\u0301'
      const username = freshUsername('Case')
      const id = freshUserId()
      const passwordHash = '$argon2id$v=19$m=65536,t=2,p=1$abc/+$def'
      const user = await users.create({ id, username, displayName, passwordHash })
      expect(user).toEqual({ id, username, displayName, createdAt: idTime(id) })
      expect(await users.findByUsername(username)).toEqual(user)
      expect(await users.findAccount(id)).toEqual({ ...user, graphVersion: 0 })
      expect(await users.findCredentials(username)).toEqual({ user, passwordHash })
    })

    test('keeps ids near 2^53 exact', async () => {
      for (const id of [2 ** 53 - 1, 2 ** 53 - 2, 2 ** 53 - 4] as UserId[]) {
        const user = await users.create({
          id,
          username: freshUsername(),
          displayName: 'far',
          passwordHash: 'x',
        })
        expect(user.id).toBe(id)
        expect((await users.findAccount(id))?.id).toBe(id)
        expect((await users.findVisible([id], NOBODY)).map((found) => found.id)).toEqual([id])
      }
      expect(await users.findAccount((2 ** 53 - 3) as UserId)).toBeNull()
    })

    test('finds names without regard to case and keeps theirs', async () => {
      const user = await signUp(users, freshUsername('MiXeD'))
      for (const name of [user.username.toLowerCase(), user.username.toUpperCase()]) {
        expect(await users.findByUsername(name)).toEqual(user)
        expect((await users.findCredentials(name))?.user).toEqual(user)
        expect((await users.findProfile(name, user.id))?.id).toBe(user.id)
      }
    })

    test('refuses a taken name in any case', async () => {
      const { username } = await signUp(users, freshUsername('Taken'))
      for (const again of [username, username.toLowerCase(), username.toUpperCase()]) {
        const error = await signUp(users, again).catch((thrown) => thrown)
        expect(isSnsError(error, 'username_taken')).toBeTrue()
      }
    })

    test('refuses a name that is taken before an id that is', async () => {
      const first = await signUp(users)
      const error = await users
        .create({ ...first, displayName: 'x', passwordHash: 'x' })
        .catch((thrown) => thrown)
      expect(isSnsError(error, 'username_taken')).toBeTrue()
    })

    test('takes the next id where the given one is taken', async () => {
      const id = freshUserId()
      const made = []
      for (let n = 0; n < 5; n++) {
        const username = freshUsername()
        made.push(await users.create({ id, username, displayName: '', passwordHash: 'x' }))
      }
      const expected = [id, id + 1, id + 2, id + 3, id + 4]
      expect(made.map((user) => user.id as number)).toEqual(expected)
      for (const user of made) expect(await users.findByUsername(user.username)).toEqual(user)
    })

    test('gives 50 people who come with the same id at once 50 ids', async () => {
      const id = freshUserId()
      const made = await Promise.all(
        Array.from({ length: 50 }, () =>
          users.create({ id, username: freshUsername(), displayName: '', passwordHash: 'x' }),
        ),
      )
      expect(new Set(made.map((user) => user.id)).size).toBe(50)
      for (const user of made) expect((await users.findAccount(user.id))?.id).toBe(user.id)
    })

    test('lets one of 50 who want the same name at once have it', async () => {
      const name = freshUsername('Wanted')
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, (_, n) => signUp(users, n % 2 ? name : name.toLowerCase())),
      )
      const refused = results.filter((result) => result.status === 'rejected')
      expect(refused).toHaveLength(49)
      for (const { reason } of refused) expect(isSnsError(reason, 'username_taken')).toBeTrue()
      expect(await users.findByUsername(name)).not.toBeNull()
    })

    test('finds no user for an impossible name', async () => {
      const user = await signUp(users, 'plain_name')
      const hostile = [
        `${user.username} `,
        ` ${user.username}`,
        'plain%',
        'plain_nam_',
        '%',
        '_',
        '__________',
        "' or '1'='1",
        "plain_name'--",
        'plain\\_name',
        'plain_name\0',
        'plаin_name', // a Cyrillic а
        'ＰＬＡＩＮ_name',
        '👩‍👩‍👧',
        '\uD83D',
        '',
        'a'.repeat(10_000),
      ]
      for (const name of hostile) {
        expect(await users.findByUsername(name)).toBeNull()
        expect(await users.findCredentials(name)).toBeNull()
        expect(await users.findProfile(name, user.id)).toBeNull()
      }
    })

    test('refuses to create an impossible name', async () => {
      for (const name of ['ünïcode', 'a', 'with blank', 'a'.repeat(31)]) {
        const error = await signUp(users, name).catch((thrown) => thrown)
        expect(isSnsError(error, 'invalid_request')).toBeTrue()
      }
    })

    test('changes the display name and nothing else', async () => {
      const user = await signUp(users)
      const changed = { ...user, displayName: '새 이름 🌱' }
      expect(await users.updateDisplayName(user.id, changed.displayName)).toEqual(changed)
      expect(await users.findByUsername(user.username)).toEqual(changed)
      expect(await users.updateDisplayName(user.id, changed.displayName)).toEqual(changed)
      expect(await users.updateDisplayName(NOBODY, 'nobody')).toBeNull()
    })

    test('changes the password', async () => {
      const user = await signUp(users)
      const change = { from: passwordHashOf(user.username), to: 'another hash' }
      expect(await users.updatePassword(user.id, change)).toBeTrue()
      expect((await users.findCredentials(user.username))?.passwordHash).toBe('another hash')
    })

    test('changes no password that is no longer the one that was checked', async () => {
      const user = await signUp(users)
      const from = passwordHashOf(user.username)
      const changes = Array.from({ length: 10 }, (_, n) => ({ from, to: `hash ${n}` }))
      const done = await Promise.all(changes.map((each) => users.updatePassword(user.id, each)))
      expect(done.filter(Boolean)).toHaveLength(1)
      const winner = changes[done.indexOf(true)]
      expect((await users.findCredentials(user.username))?.passwordHash).toBe(winner?.to)
      expect(await users.updatePassword(NOBODY, { from, to: 'x' })).toBeFalse()
    })

    test('ends every session with the password, and only that user’s', async () => {
      const { sessions, clock } = harness
      const [user, other] = await signUpAll(users, 'user', 'other')
      const [first, second] = [
        await startSession(sessions, user),
        await startSession(sessions, user),
      ]
      const others = await startSession(sessions, other)
      const from = passwordHashOf(user.username)
      await users.updatePassword(user.id, { from: 'not that', to: 'x' })
      expect(await sessions.findViewer(first, clock.now())).not.toBeNull()
      await users.updatePassword(user.id, { from, to: 'x' })
      for (const grant of [first, second]) {
        expect(await sessions.findViewer(grant, clock.now())).toBeNull()
      }
      expect(
        (await sessions.list(user.id, { before: null, limit: 10 }, clock.now())).items,
      ).toEqual([])
      expect(await sessions.findViewer(others, clock.now())).not.toBeNull()
    })

    test('counts every touch of the graph, also at once', async () => {
      const user = await signUp(users)
      await Promise.all(Array.from({ length: 20 }, () => users.touchGraph([user.id])))
      expect((await users.findAccount(user.id))?.graphVersion).toBe(20)
      await users.touchGraph([NOBODY])
    })

    test('tells what stands between two people', async () => {
      const [ann, bob, cem] = await signUpAll(users, 'ann', 'bob', 'cem')
      await harness.graph.follow(ann.id, bob.id)
      await harness.graph.follow(cem.id, bob.id)
      await harness.graph.mute(ann.id, bob.id)
      expect(await users.findProfile(bob.username, ann.id)).toEqual({
        ...bob,
        counts: { followers: 2, following: 0, posts: 0 },
        viewer: { following: true, followedBy: false, muted: true },
      })
      expect(await users.findProfile(ann.username, bob.id)).toEqual({
        ...ann,
        counts: { followers: 0, following: 1, posts: 0 },
        viewer: { following: false, followedBy: true, muted: false },
      })
      expect((await users.findProfile(ann.username, ann.id))?.viewer).toEqual({
        following: false,
        followedBy: false,
        muted: false,
      })
    })

    test('hides the two sides of a block from each other', async () => {
      const [ann, bob, cem] = await signUpAll(users, 'ann', 'bob', 'cem')
      await harness.graph.block(ann.id, bob.id)
      expect(await users.findProfile(bob.username, ann.id)).toBeNull()
      expect(await users.findProfile(ann.username, bob.id)).toBeNull()
      expect((await users.findProfile(ann.username, cem.id))?.id).toBe(ann.id)
      const everyone = [ann.id, bob.id, cem.id]
      const seenBy = async (viewer: UserId) =>
        new Set((await users.findVisible(everyone, viewer)).map((user) => user.id))
      expect(await seenBy(ann.id)).toEqual(new Set([ann.id, cem.id]))
      expect(await seenBy(bob.id)).toEqual(new Set([bob.id, cem.id]))
      expect(await seenBy(cem.id)).toEqual(new Set(everyone))
    })

    test('finds those who are there and leaves out the others', async () => {
      const [ann, bob] = await signUpAll(users, 'ann', 'bob')
      expect(await users.findVisible([], ann.id)).toEqual([])
      expect(await users.findVisible([NOBODY], ann.id)).toEqual([])
      const found = await users.findVisible([bob.id, NOBODY, ann.id, bob.id], ann.id)
      expect([...found].sort((a, b) => a.id - b.id)).toEqual([ann, bob])
    })

    test('forgets an account with its follows, blocks and mutes', async () => {
      const [gone, ann, bob] = await signUpAll(users, 'gone', 'ann', 'bob')
      await harness.graph.follow(gone.id, ann.id)
      await harness.graph.follow(ann.id, gone.id)
      await harness.graph.mute(ann.id, gone.id)
      await harness.graph.block(gone.id, bob.id)
      await users.delete(gone.id)
      expect(await users.findAccount(gone.id)).toBeNull()
      expect(await users.findByUsername(gone.username)).toBeNull()
      expect(await users.findCredentials(gone.username)).toBeNull()
      expect((await users.findProfile(ann.username, bob.id))?.counts).toEqual({
        followers: 0,
        following: 0,
        posts: 0,
      })
      expect(await harness.graph.blockedEitherWay(bob.id)).toEqual([])
      await users.delete(gone.id)
    })

    test('deletes no account by a password that is no longer its own', async () => {
      const user = await signUp(users)
      const from = passwordHashOf(user.username)
      await users.updatePassword(user.id, { from, to: 'another hash' })
      expect(await users.delete(user.id, from)).toBeFalse()
      expect(await users.findByUsername(user.username)).toEqual(user)
      expect(await users.delete(user.id, 'another hash')).toBeTrue()
      expect(await users.findByUsername(user.username)).toBeNull()
    })

    test('reserves the username of a deleted account for thirty days, in any case', async () => {
      const { clock } = harness
      const gone = await signUp(users, freshUsername('Gone'))
      await users.delete(gone.id)
      const take = (name: string) => signUp(users, name).then(({ username }) => username, codeOf)
      for (const name of [gone.username, gone.username.toLowerCase()]) {
        expect(await take(name)).toBe('username_taken')
        expect(await users.findByUsername(name)).toBeNull()
      }
      clock.advance(USERNAME_REST_MS - 1)
      await users.pruneUsernames(clock.now())
      expect(await take(gone.username)).toBe('username_taken')
      clock.advance(1)
      expect(await take(gone.username.toUpperCase())).toBe(gone.username.toUpperCase())
      await users.pruneUsernames(clock.now())
    })

    test('lets a username rest again when its next owner goes', async () => {
      const { clock } = harness
      const first = await signUp(users)
      await users.delete(first.id)
      clock.advance(USERNAME_REST_MS)
      const second = await signUp(users, first.username)
      await users.delete(second.id)
      const error = await signUp(users, first.username).catch((thrown) => thrown)
      expect(isSnsError(error, 'username_taken')).toBeTrue()
    })
  })
}

function codeOf(error: unknown): string {
  if (isSnsError(error)) return error.code
  throw error
}
