/** Code points that show nothing of their own or turn the text around them. */
const HIDDEN = /[\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB]/u

const VIRAMA =
  '[\\u094D\\u09CD\\u0A4D\\u0ACD\\u0B4D\\u0BCD\\u0C4D\\u0CCD\\u0D3B\\u0D3C\\u0D4D\\u0DCA\\u1039\\u17D2]'

/** Where such code points are part of what is seen. */
const NEEDED = new RegExp(
  [
    // Emoji of several: families, professions, flags of regions.
    '(?<=[\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\uFE0F])\\u200D(?=\\p{Extended_Pictographic})',
    '(?<=\\u{1F3F4})[\\u{E0020}-\\u{E007E}]{1,8}\\u{E007F}',
    // Variants of a character that is seen.
    '(?<=[^\\p{White_Space}\\p{Default_Ignorable_Code_Point}])[\\uFE00-\\uFE0F\\u{E0100}-\\u{E01EF}]',
    // Joiners in the scripts that are written with them (RFC 5892, appendix A.1 and A.2).
    `(?<=${VIRAMA})[\\u200C\\u200D](?=\\p{L})`,
    '(?<=\\p{Script=Arabic})\\u200C(?=\\p{Script=Arabic})',
  ].join('|'),
  'gu',
)

/**
 * Whether a name holds what nobody sees: bidirectional controls, zero-width characters, fillers. With
 * them one name passes for another, or for none.
 */
export function holdsHidden(name: string): boolean {
  return HIDDEN.test(name.replace(NEEDED, ''))
}

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
