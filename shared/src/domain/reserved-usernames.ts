const RESERVED = new Set([
  // Who speaks for the service.
  'admin',
  'administrator',
  'admins',
  'moderator',
  'moderators',
  'mod',
  'mods',
  'staff',
  'team',
  'official',
  'owner',
  'operator',
  'sysadmin',
  'system',
  'root',
  'superuser',
  'sns',
  // Where people would turn to; RFC 2142 names the mailboxes.
  'support',
  'help',
  'helpdesk',
  'contact',
  'info',
  'service',
  'security',
  'abuse',
  'privacy',
  'legal',
  'billing',
  'noc',
  'postmaster',
  'hostmaster',
  'webmaster',
  'noreply',
  'mailerdaemon',
  // What links and programs could mistake for something else.
  'api',
  'www',
  'me',
  'null',
  'undefined',
  'anonymous',
  'everyone',
  'nobody',
])

/**
 * Whether a username would pass for the service or its staff. Compared without case and underscores.
 * Asked at sign-up only: who has such a name keeps it.
 */
export function isReservedUsername(username: string): boolean {
  return RESERVED.has(username.toLowerCase().replaceAll('_', ''))
}
