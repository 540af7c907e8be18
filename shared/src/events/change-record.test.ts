import { expect, test } from 'bun:test'
import { created } from '../testing/change-log-harness'
import { testEvent } from '../testing/kafka-log'
import { decodeChange, encodeChange } from './change-record'

test('an event survives its record', () => {
  const event = testEvent({ ...created(5, '한글 🙂 \u2028'), op: 'd' }, 3)
  const { key, value, bytes, ...rest } = encodeChange(event)
  expect(key).toBe('{"id":5}')
  expect<unknown>(decodeChange('posts', value)).toEqual(event)
  expect(bytes).toBe(Buffer.byteLength(key + value))
  const { gtid, ts_ms: committedAt } = event.source
  expect(rest).toEqual({ table: 'posts', op: 'd', gtid, committedAt })
})

test("reads Debezium's envelope, which knows no epoch and whose sequence is null", () => {
  const { epoch: _, ...source } = testEvent(created(1), 2).source
  const envelope = {
    ...testEvent(created(1), 2),
    source: { ...source, snapshot: 'last', version: '3.5', server_id: 1, sequence: null },
    transaction: null,
  }
  const event = decodeChange('posts', JSON.stringify(envelope))
  expect<unknown>(event.source).toEqual({ ...source, snapshot: 'true', epoch: null })
})

test('names what is wrong with a stranger', () => {
  const event = testEvent(created(1), 2)
  const cases: [unknown, RegExp][] = [
    ['text', /the value is not an object/],
    [{ hello: 'world' }, /source is not an object/],
    [{ ...event, source: { ...event.source, table: 'users' } }, /source\.table is not posts/],
    [{ ...event, op: 'x' }, /op is none of/],
    [{ ...event, after: null }, /op c without its row/],
    [{ ...event, after: { ...event.after, id: [1] } }, /after\.id/],
    [{ ...event, source: { ...event.source, gtid: 'none' } }, /source\.gtid/],
    [{ ...event, source: { ...event.source, ts_ms: 1.5 } }, /source\.ts_ms/],
  ]
  for (const [value, message] of cases) {
    expect(() => decodeChange('posts', JSON.stringify(value))).toThrow(message)
  }
  expect(() => decodeChange('posts', 'no json')).toThrow()
})

test('takes a row with columns that nobody reads', () => {
  const event = testEvent(created(1), 2)
  const after = { ...event.after, reason: 'new', flags: [1, 2] }
  expect<unknown>(decodeChange('posts', JSON.stringify({ ...event, after })).after).toEqual(after)
})

test('names the column in which a row does not fit its table', () => {
  const event = testEvent(created(1), 2)
  const row = event.after ?? {}
  const { author_id: _, ...orphan } = row
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ after: { ...row, id: 'ten' } }, /^after\.id: Expected integer$/],
    [{ after: { ...row, id: null } }, /^after\.id: /],
    [{ after: { ...row, id: 2 ** 53 } }, /^after\.id: .*9007199254740991$/],
    [{ after: { ...row, author_id: '1' } }, /^after\.author_id: /],
    [{ after: { ...row, text: null } }, /^after\.text: Expected string$/],
    [{ after: { ...row, edited_at: 0.5 } }, /^after\.edited_at: /],
    [{ after: orphan }, /^after\.author_id: Expected required property$/],
    [{ after: {} }, /^after\.id: /],
    [{ op: 'u', before: { id: 1 } }, /^before\.author_id: /],
    [{ op: 'd', before: null, after: null }, /^op d without its row$/],
  ]
  for (const [change, message] of cases) {
    expect(() => decodeChange('posts', JSON.stringify({ ...event, ...change }))).toThrow(message)
  }
  const users = { ...event, source: { ...event.source, table: 'users' } }
  const ann = { id: 1, username: 'ann', created_at: 1, updated_at: 1 }
  expect(() => decodeChange('users', JSON.stringify({ ...users, after: ann }))).toThrow(
    /^after\.display_name: /,
  )
})
