import { describe, expect, test } from 'bun:test'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { isSnsError } from '@sns/shared/errors/sns-error'
import { toCaptureError, toDumpError } from './errors'

const driverError = (errno: number, message: string) =>
  Object.assign(new Error(message), { errno, code: 'ER', sqlState: 'HY000' })

describe('errors of the binlog', () => {
  test.each([
    [
      "Cannot replicate because the source purged required binary logs. Replicate the missing transactions from elsewhere. The GTID set sent by the replica is '', and the missing transactions are 'x:1-3'",
      'has been purged',
    ],
    [
      'Replica has more GTIDs than the source has, using the source SERVER_UUID. This may indicate that the end of the binary log was truncated',
      'not the server that capture knew',
    ],
    ['log event entry exceeded max_allowed_packet', 'max_allowed_packet'],
  ])('1236: %s', (message, words) => {
    const failure = toCaptureError(driverError(1236, message))
    expect(failure).toBeInstanceOf(OperatorError)
    expect(failure.message).toContain(words)
    expect(failure.message).not.toContain('\n')
    // Whoever moves on leaves a gap in all that is made from the log: the command mends it.
    expect(failure.message).toContain('snapshot --from-here')
  })

  test('a dump pushed out by another with its number is only tried again', () => {
    const message =
      'A replica with the same server_uuid/server_id as this replica has connected to the source'
    expect(isSnsError(toCaptureError(driverError(1236, message)), 'store_unavailable')).toBe(true)
  })

  test.each([
    [1045, 'refuses'],
    [1227, '`grant`'],
    [1049, 'run migrate'],
    [1146, 'run migrate'],
    [1193, 'MySQL with GTIDs'],
  ])('%i says what to do', (errno, words) => {
    const failure = toCaptureError(driverError(errno, 'as the server says'))
    expect(failure).toBeInstanceOf(OperatorError)
    expect(failure.message).toContain(words)
  })

  test('a lost connection is tried again; an event that cannot be decoded is not', () => {
    const lost = Object.assign(new Error('gone'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true })
    expect(isSnsError(toDumpError(lost), 'store_unavailable')).toBe(true)
    expect(isSnsError(toDumpError(driverError(1053, 'shutdown')), 'store_unavailable')).toBe(true)
    const undecodable = toDumpError(
      new Error('Server sent a TRANSACTION_PAYLOAD_EVENT (binlog_transaction_compression=ON).'),
    )
    expect(undecodable).toBeInstanceOf(OperatorError)
    expect(undecodable.message).toContain('binlog_transaction_compression')
  })
})
