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
 * Writes a line of the log for each event of accounts: what happened, to which username as it was typed,
 * from which address; never a password. Programs that ban addresses read them, so their form is kept.
 */
export function createAuthEvents({ logger }: { readonly logger: Pick<Logger, 'info'> }) {
  return {
    note(
      event: AuthEvent,
      username: string | null,
      { id, address }: { readonly id: string; readonly address: string },
    ): void {
      logger.info({ event, address, username, requestId: id }, 'account')
    },
  }
}
