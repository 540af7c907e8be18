import { UNSEEN } from '@sns/shared/domain/text'

/** Code points that are invisible or reverse the text around them. */
const HIDDEN = new RegExp(`[${UNSEEN}\\uFFF9-\\uFFFB]`, 'u')

const VIRAMA =
  '[\\u094D\\u09CD\\u0A4D\\u0ACD\\u0B4D\\u0BCD\\u0C4D\\u0CCD\\u0D3B\\u0D3C\\u0D4D\\u0DCA\\u1039\\u17D2]'

/** Contexts in which such code points are part of a visible character. */
const NEEDED = new RegExp(
  [
    // Emoji made of several: families, professions, flags of regions.
    '(?<=[\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\uFE0F])\\u200D(?=\\p{Extended_Pictographic})',
    '(?<=\\u{1F3F4})[\\u{E0020}-\\u{E007E}]{1,8}\\u{E007F}',
    // Variation selectors after a visible character.
    '(?<=[^\\p{White_Space}\\p{Default_Ignorable_Code_Point}])[\\uFE00-\\uFE0F\\u{E0100}-\\u{E01EF}]',
    // Joiners in the scripts that are written with them (RFC 5892, appendix A.1 and A.2).
    `(?<=${VIRAMA})[\\u200C\\u200D](?=\\p{L})`,
    '(?<=\\p{Script=Arabic})\\u200C(?=\\p{Script=Arabic})',
    // The space of Braille.
    '(?<=[\\u2801-\\u28FF])\\u2800(?=[\\u2801-\\u28FF])',
  ].join('|'),
  'gu',
)

/**
 * Whether a name holds invisible characters: bidirectional controls, zero-width characters,
 * fillers. With them one name can imitate another, or look empty.
 */
export function holdsHidden(name: string): boolean {
  return HIDDEN.test(name.replace(NEEDED, ''))
}

const RESERVED = new Set([
  // Names that speak for the service.
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
  // Names that people write to for help; RFC 2142 lists the mailboxes.
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
  // Names that links and programs could mistake for something else.
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
 * Whether a username could imitate the service or its staff. Case and underscores are ignored.
 * Checked at sign-up only: existing users keep their names.
 */
export function isReservedUsername(username: string): boolean {
  return RESERVED.has(username.toLowerCase().replaceAll('_', ''))
}
