import { USERNAME_MAX } from '@sns/shared/domain/user'
import type { Logger } from '@sns/shared/observability/logger'

export type AuthEvent =
  | 'signed_up'
  | 'logged_in'
  | 'login_refused'
  | 'refresh_token_reused'
  | 'password_refused'
  | 'password_changed'
  | 'account_deleted'

export type AuthEvents = ReturnType<typeof createAuthEvents>

/**
 * Logs one line for each account event: what happened, the username as typed (the beginning of what is too long to be
 * one) and the address; never a password. Programs that ban addresses parse these lines, so their form is stable.
 */
export function createAuthEvents({ logger }: { readonly logger: Pick<Logger, 'info'> }) {
  return {
    note(
      event: AuthEvent,
      username: string | null,
      { id, address }: { readonly id: string; readonly address: string },
    ): void {
      logger.info({ event, address, username: shortened(username), requestId: id }, 'account')
    },
  }
}

function shortened(username: string | null): string | null {
  if (username === null || username.length <= USERNAME_MAX) return username
  return `${username.slice(0, USERNAME_MAX).toWellFormed()}…`
}
