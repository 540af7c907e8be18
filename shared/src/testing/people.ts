import { systemClock } from '../domain/clock'
import { createIdGenerator, type UserId } from '../domain/id'
import type { Grant } from '../domain/session'
import type { User } from '../domain/user'
import type { NewRefreshToken, SessionStore } from '../ports/session-store'
import type { UserStore } from '../ports/user-store'

const ids = createIdGenerator({ clock: systemClock })
let count = 0

/** An id that no other test uses. */
export function freshUserId(): UserId {
  return ids.next<'user'>()
}

/** A username that no other test uses, of ten to sixteen characters. */
export function freshUsername(prefix = 'user'): string {
  count++
  return `${prefix}_${count.toString(36)}_${Math.floor(Math.random() * 1e6).toString(36)}`
}

/** The password hash that `signUp` stores. */
export function passwordHashOf(username: string): string {
  return `hash of ${username}`
}

/** A unique refresh token. */
export function freshToken(expiresAt: number): NewRefreshToken {
  const hash = new Bun.CryptoHasher('sha256').update(crypto.randomUUID()).digest('hex')
  return { hash, expiresAt }
}

/** Starts a session of a user from `signUp`; by default it outlives every test. */
export function startSession(
  sessions: SessionStore,
  { id: userId, username }: User,
  {
    now = Date.UTC(2026, 0, 1),
    expiresAt = Date.UTC(2100, 0, 1),
    token = freshToken(expiresAt),
  }: { readonly now?: number; readonly expiresAt?: number; readonly token?: NewRefreshToken } = {},
): Promise<Grant> {
  const id = ids.next<'session'>()
  const passwordHash = passwordHashOf(username)
  return sessions.start({ id, userId, passwordHash, expiresAt, token }, now)
}

/** Signs up a user with a unique name. */
export function signUp(users: UserStore, username = freshUsername()): Promise<User> {
  return users.create({
    id: freshUserId(),
    username,
    displayName: `${username} here`,
    passwordHash: passwordHashOf(username),
  })
}

/** Signs up several users; returns a tuple, for destructuring. */
export async function signUpAll<const Names extends readonly string[]>(
  users: UserStore,
  ...names: Names
): Promise<{ [Index in keyof Names]: User }> {
  const people: User[] = []
  for (const name of names) people.push(await signUp(users, freshUsername(name)))
  return people as { [Index in keyof Names]: User }
}
