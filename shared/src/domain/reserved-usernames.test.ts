import { expect, test } from 'bun:test'
import { isReservedUsername } from './reserved-usernames'

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
