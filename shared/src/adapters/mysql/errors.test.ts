import { describe, expect, test } from 'bun:test'
import { isSnsError } from '../../errors/sns-error'
import {
  isConnectionLoss,
  isTransientMysqlError,
  mysqlDuplicateIndex,
  translateMysqlError,
} from './errors'

const driverError = (message: string, details: object = {}) =>
  Object.assign(new Error(message), details)

describe('MySQL errors', () => {
  test.each([
    ["Duplicate entry 'a' for key 'users.users_username'", 'users_username'],
    ["Duplicate entry '12' for key 'posts.PRIMARY'", 'PRIMARY'],
    ["Duplicate entry 'a' for key 'users_username'", 'users_username'],
    ["Duplicate entry 'it's for key 'x.y'' for key 'users.users_username'", 'users_username'],
  ])('knows the index of: %s', (message, index) => {
    expect(mysqlDuplicateIndex(driverError(message, { errno: 1062 }))).toBe(index)
  })

  test('takes nothing else for a duplicate', () => {
    const message = "Duplicate entry 'a' for key 'users.PRIMARY'"
    expect(mysqlDuplicateIndex(driverError(message, { errno: 1064 }))).toBeNull()
    expect(mysqlDuplicateIndex(message)).toBeNull()
  })

  test.each([
    [{ code: 'PROTOCOL_CONNECTION_LOST', fatal: true }],
    [{ code: 'ECONNRESET' }],
    [{ code: 'ECONNREFUSED' }],
    [{ code: 'ETIMEDOUT' }],
    [{ code: 'EPIPE' }],
    [{ code: 'PROTOCOL_SEQUENCE_TIMEOUT' }],
  ])('calls %p a lost connection and store_unavailable', (details) => {
    const error = driverError('gone', details)
    expect(isConnectionLoss(error)).toBeTrue()
    const translated = translateMysqlError(error)
    expect(isSnsError(translated, 'store_unavailable')).toBeTrue()
    expect((translated as Error).cause).toBe(error)
  })

  test.each([1040, 1053, 1290, 3024])(
    'calls %p store_unavailable, the connection being whole',
    (errno) => {
      const error = driverError('not now', { errno, code: 'ER_X' })
      expect(isConnectionLoss(error)).toBeFalse()
      expect(isSnsError(translateMysqlError(error), 'store_unavailable')).toBeTrue()
    },
  )

  test('leaves mistakes of ours what they are', () => {
    for (const errno of [1064, 1146, 1062, 1213, 1205]) {
      const error = driverError('no', { errno, code: 'ER_X' })
      expect(translateMysqlError(error)).toBe(error)
      expect(isTransientMysqlError(error)).toBe(errno === 1213 || errno === 1205)
    }
  })
})
