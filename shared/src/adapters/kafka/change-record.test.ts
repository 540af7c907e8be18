import { expect, test } from 'bun:test'
import { created } from '../../testing/change-log-harness'
import { testEvent } from '../../testing/kafka-log'
import { decodeChange, encodeChange } from './change-record'

test('an event survives its record, and a delete brings a tombstone', () => {
  const event = testEvent({ ...created(5, '한글 🙂 \u2028'), op: 'd' }, 3)
  const [record, tombstone, ...rest] = encodeChange(event)
  expect(record?.key).toBe('{"id":5}')
  expect(decodeChange('posts', record?.value ?? '')).toEqual(event)
  expect(tombstone).toEqual({ table: 'posts', key: '{"id":5}', value: null })
  expect(rest).toEqual([])
})

test("reads Debezium's envelope, which knows no epoch", () => {
  const { epoch: _, ...source } = testEvent(created(1), 2).source
  const envelope = {
    ...testEvent(created(1), 2),
    source: { ...source, snapshot: 'last', version: '3.5', server_id: 1 },
    transaction: null,
  }
  const event = decodeChange('posts', JSON.stringify(envelope))
  expect(event.source).toEqual({ ...source, snapshot: 'true', epoch: 0 })
})

test('names what is wrong with a stranger', () => {
  const event = testEvent(created(1), 2)
  const cases: [unknown, RegExp][] = [
    ['text', /the value is not an object/],
    [{ hello: 'world' }, /source is not an object/],
    [{ ...event, source: { ...event.source, table: 'users' } }, /source\.table is not posts/],
    [{ ...event, op: 'x' }, /op is none of/],
    [{ ...event, after: null }, /op c without its row/],
    [{ ...event, after: { id: [1] } }, /after\.id/],
    [{ ...event, source: { ...event.source, gtid: 'none' } }, /source\.gtid/],
    [{ ...event, source: { ...event.source, ts_ms: 1.5 } }, /source\.ts_ms/],
  ]
  for (const [value, message] of cases) {
    expect(() => decodeChange('posts', JSON.stringify(value))).toThrow(message)
  }
  expect(() => decodeChange('posts', 'no json')).toThrow()
})
