import type { IdGenerator } from '@sns/shared/domain/id'
import { type Account, DISPLAY_NAME_MAX } from '@sns/shared/domain/user'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { TimelineStore } from '@sns/shared/ports/timeline-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import { checkContent, parseName } from '../../http/input'
import type { RequestContext } from '../../http/request-context'
import type { AuthEvents } from '../../security/auth-events'
import type { Passwords } from '../../security/passwords'
import type * as contract from '../users/schema'
import { presentUser } from '../users/schema'
import { AccountChange, type AccountDeletion, type Login, type Session, Signup } from './schema'
import type { Sessions } from './sessions'

export interface AccountServiceDeps {
  readonly users: UserStore
  readonly timelines: Pick<TimelineStore, 'drop'>
  readonly sessions: Sessions
  readonly passwords: Passwords
  readonly events: AuthEvents
  readonly ids: IdGenerator
}

export function createAccountService(deps: AccountServiceDeps) {
  const { users, timelines, sessions, passwords, events, ids } = deps

  /**
   * The hash that matched. A write that relies on it must check that it is still the stored one.
   */
  async function checkPassword(
    { username }: Account,
    password: string,
    context: RequestContext,
  ): Promise<string> {
    const credentials = await users.findCredentials(username)
    const hash = credentials?.passwordHash ?? null
    const matches = await passwords.verify(password, hash, context.caller)
    if (!credentials || !matches) {
      events.note('password_refused', username, context)
      throw wrongPassword()
    }
    return credentials.passwordHash
  }

  async function changePassword(account: Account, change: AccountChange, context: RequestContext) {
    if (change.password === undefined || change.currentPassword === undefined) return
    const from = await checkPassword(account, change.currentPassword, context)
    const to = await passwords.hash(change.password, context.caller)
    if (!(await users.updatePassword(account.id, { from, to }))) throw wrongPassword()
    events.note('password_changed', account.username, context)
  }

  return {
    async signUp(signup: Signup, context: RequestContext): Promise<Session> {
      await checkContent({ body: Signup }, { body: signup })
      const { username, password } = signup
      // Avoids hashing for a taken name. The store decides when two sign up at once.
      if (await users.findByUsername(username)) throw new SnsError('username_taken')
      const passwordHash = await passwords.hash(password, context.caller)
      const id = ids.next<'user'>()
      const user = await users.create({
        id,
        username,
        displayName: nameIn(signup) ?? username,
        passwordHash,
      })
      events.note('signed_up', username, context)
      return sessions.start(user, passwordHash)
    },

    async logIn({ username, password }: Login, context: RequestContext): Promise<Session> {
      const credentials = await users.findCredentials(username)
      const hash = credentials?.passwordHash ?? null
      const matches = await passwords.verify(password, hash, context.caller)
      if (!credentials || !matches) {
        events.note('login_refused', username, context)
        throw new SnsError('bad_credentials')
      }
      events.note('logged_in', username, context)
      return sessions.start(credentials.user, credentials.passwordHash)
    },

    async change(
      account: Account,
      change: AccountChange,
      context: RequestContext,
    ): Promise<contract.User> {
      await checkContent({ body: AccountChange }, { body: change })
      await changePassword(account, change, context)
      const displayName = nameIn(change)
      if (displayName === null) return presentUser(account)
      const user = await users.updateDisplayName(account.id, displayName)
      if (!user) throw new SnsError('unauthenticated', { detail: 'The account is gone' })
      return presentUser(user)
    },

    async delete(
      account: Account,
      { password }: AccountDeletion,
      context: RequestContext,
    ): Promise<void> {
      const passwordHash = await checkPassword(account, password, context)
      if (!(await users.delete(account.id, passwordHash))) throw wrongPassword()
      events.note('account_deleted', account.username, context)
      // Nobody can use the session any more; without this it would end when it expires.
      await timelines.drop(account.id).catch(() => undefined)
    },
  }
}

function nameIn({ displayName }: Pick<AccountChange, 'displayName'>): string | null {
  if (displayName === undefined) return null
  return parseName('displayName', displayName, DISPLAY_NAME_MAX)
}

function wrongPassword(): SnsError {
  return new SnsError('bad_credentials', { detail: 'The current password is wrong' })
}
