import { systemClock } from '../domain/clock'
import type { UserId } from '../domain/id'
import { createIdGenerator } from '../domain/id-generator'
import type { User } from '../domain/user'
import type { UserStore } from '../ports/user-store'

const ids = createIdGenerator(systemClock)
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

/** Signs somebody up under a name of their own. */
export function signUp(users: UserStore, username = freshUsername()): Promise<User> {
  return users.create({
    id: freshUserId(),
    username,
    displayName: `${username} here`,
    passwordHash: `hash of ${username}`,
  })
}

/** Signs several people up; a tuple, so that they can be taken apart by name. */
export async function signUpAll<const Names extends readonly string[]>(
  users: UserStore,
  ...names: Names
): Promise<{ [Index in keyof Names]: User }> {
  const people: User[] = []
  for (const name of names) people.push(await signUp(users, freshUsername(name)))
  return people as { [Index in keyof Names]: User }
}
