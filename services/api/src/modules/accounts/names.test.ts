import { expect, test } from 'bun:test'
import { holdsHidden, isReservedUsername } from './names'

test.each([
  '민지',
  '한 글 ㅋㅋ',
  'Zoë Q. O’Hara',
  'é in two: e\u0301',
  '👩‍👩‍👧 family',
  '👩🏽‍🦱',
  '🏃‍♀️',
  '👁️‍🗨️',
  '❤️ 1️⃣',
  '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  '葛\u{E0100}城',
  'می\u200cخواهم',
  'ශ්\u200dරී ලංකා',
  'क्\u200cष',
  '⠓⠊\u2800⠁⠇⠇',
])('%p may be a name', (name) => {
  expect(holdsHidden(name)).toBe(false)
})

test.each([
  ['a zero-width space', 'ad\u200bmin'],
  ['a joiner between letters', 'ad\u200dmin'],
  ['a joiner at the end of an emoji', '👩\u200d'],
  ['a joiner before an emoji', 'x\u200d👩'],
  ['a non-joiner between letters', 'ad\u200cmin'],
  ['a word joiner', 'ad\u2060min'],
  ['a byte order mark', '\ufeffadmin'],
  ['a soft hyphen', 'ad\u00admin'],
  ['a right-to-left override', 'nimda\u202e'],
  ['a right-to-left mark', 'admin\u200f'],
  ['an isolate', '\u2067admin\u2069'],
  ['an Arabic letter mark', 'admin\u061c'],
  ['Hangul fillers', '\u3164\u115f\uffa0'],
  ['a grapheme joiner', 'ad\u034fmin'],
  ['a variation selector on nothing', '\ufe0f'],
  ['tags outside a flag', 'admin\u{E0041}'],
  ['a blank of Braille between letters', '민지\u2800'],
  ['a note without a head', 'ad\u{1d159}min'],
  ['an annotation', 'ad\ufff9min'],
])('%s may not be in a name', (_, name) => {
  expect(holdsHidden(name)).toBe(true)
})

test.each([
  ...['admin', 'administrator', 'root', 'support', 'moderator', 'staff', 'help', 'security'],
  ...['abuse', 'postmaster', 'system', 'official', 'sns', 'api', 'null', 'undefined'],
  ...['ADMIN', 'Sys_Admin', '_root_', 'no_reply'],
])('%s is reserved', (name) => {
  expect(isReservedUsername(name)).toBe(true)
})

test.each(['minji', 'administrated', 'rooted', 'helper', '__', 'supporter1'])(
  '%s is not',
  (name) => {
    expect(isReservedUsername(name)).toBe(false)
  },
)
