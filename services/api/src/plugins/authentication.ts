import type { Account } from '@sns/shared/domain/user'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { UserStore } from '@sns/shared/ports/user-store'
import { Elysia } from 'elysia'
import type { AccessTokens } from '../security/access-tokens'
import type { RequestContexts } from './request-context'

export interface AuthenticationDeps {
  readonly users: Pick<UserStore, 'findAccount'>
  readonly accessTokens: AccessTokens
  readonly contexts: RequestContexts
}

export type Authentication = ReturnType<typeof authentication>

/**
 * Gives the routes of the module that uses it `viewer`, the signed-in account, or answers 401. The
 * account is read each time: it carries the graph version, and a deleted one ends its tokens at once.
 */
export function authentication({ users, accessTokens, contexts }: AuthenticationDeps) {
  async function viewerOf(request: Request): Promise<Account> {
    const header = request.headers.get('authorization')
    const token = header === null ? undefined : /^bearer +([^\s]+)$/i.exec(header)?.[1]
    if (token === undefined) {
      throw new SnsError('unauthenticated', { detail: 'Send Authorization: Bearer and a token' })
    }
    const account = await users.findAccount(await accessTokens.verify(token))
    if (!account) throw new SnsError('unauthenticated', { detail: 'The account is gone' })
    contexts.of(request).userId = account.id
    return account
  }

  return new Elysia({ name: 'authentication' }).derive({ as: 'scoped' }, async ({ request }) => ({
    viewer: await viewerOf(request),
  }))
}
