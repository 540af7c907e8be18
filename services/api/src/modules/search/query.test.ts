import { describe, expect, test } from 'bun:test'
import { parseSearchQuery, parseUserQuery } from '@sns/shared/domain/search-query'
import { SnsError } from '@sns/shared/errors/sns-error'
import { checkRange, readPostQuery, readTime, readUserQuery } from './query'

function fieldOf(read: () => unknown): string | undefined {
  try {
    read()
  } catch (error) {
    if (error instanceof SnsError && error.code === 'invalid_request') return error.fields[0]?.field
    throw error
  }
  return undefined
}

describe('times', () => {
  test.each([
    ['2026-11-23', Date.UTC(2026, 10, 23)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['2026-11-23T09:30:00Z', Date.UTC(2026, 10, 23, 9, 30)],
    ['2026-11-23T09:30Z', Date.UTC(2026, 10, 23, 9, 30)],
    ['2026-11-23T09:30:00.250z', Date.UTC(2026, 10, 23, 9, 30, 0, 250)],
    ['2026-11-23T09:30:00+09:00', Date.UTC(2026, 10, 23, 0, 30)],
    ['2026-11-23T09:30:00 09:00', Date.UTC(2026, 10, 23, 0, 30)],
    ['2026-11-22T19:30:00-05:00', Date.UTC(2026, 10, 23, 0, 30)],
  ])('%s is read', (text, ms) => {
    expect(readTime('since', text)).toBe(ms)
  })

  test.each([
    '',
    'yesterday',
    '2026',
    '2026-11',
    '2026-02-30',
    '2025-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-11-23T09:30:00',
    '2026-11-23T24:30:00Z',
    '2026-11-23T09:61:00Z',
    '2026-11-23T09:30:00+25:00',
    '1763856000000',
    '2026-11-23Z',
    '+002026-11-23',
  ])('%p is refused', (text) => {
    expect(fieldOf(() => readTime('until', text))).toBe('query.until')
  })

  test('an absent one is none', () => {
    expect(readTime('since', undefined)).toBeNull()
  })

  test('since must be before until', () => {
    expect(fieldOf(() => checkRange(2, 2))).toBe('query.since')
    expect(fieldOf(() => checkRange(3, 2))).toBe('query.since')
    expect(() => checkRange(1, 2)).not.toThrow()
    expect(() => checkRange(null, 2)).not.toThrow()
    expect(() => checkRange(1, null)).not.toThrow()
  })
})

test.each(['', '  ', '!?', '""', '—', '\u200b', '\u0000', 'a\ud800', 'x'.repeat(201)])(
  'there is nothing to find for %p',
  (q) => {
    expect(fieldOf(() => readPostQuery(q))).toBe('query.q')
    expect(fieldOf(() => readUserQuery(q))).toBe('query.q')
  },
)

test('queries are cleaned, and may be two hundred characters of any script', () => {
  expect(readPostQuery(' 서울 날씨 '.normalize('NFD'))).toEqual(parseSearchQuery('서울 날씨'))
  expect(readPostQuery('한'.repeat(200)).phrases).toHaveLength(1)
  expect(readUserQuery(' @minji ')).toEqual(parseUserQuery('@minji'))
  expect(readUserQuery('_').username).toBe('_')
})
