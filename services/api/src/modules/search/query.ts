import {
  parseSearchQuery,
  parseUserQuery,
  type SearchQuery,
  type UserQuery,
} from '@sns/shared/domain/search-query'
import { invalidField, parseText } from '../../http/input'

export const SEARCH_QUERY_MAX = 200

/** Throws `invalid_request` where it can find nothing. */
export function readPostQuery(input: string): SearchQuery {
  const query = parseSearchQuery(parseText('query.q', input, SEARCH_QUERY_MAX))
  if (query.phrases.length === 0) throw nothingToFind()
  return query
}

export function readUserQuery(input: string): UserQuery {
  const query = parseUserQuery(parseText('query.q', input, SEARCH_QUERY_MAX))
  if (query.username === null && query.name.phrases.length === 0) throw nothingToFind()
  return query
}

function nothingToFind() {
  return invalidField('query.q', 'must hold a word: letters or digits of any script')
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
// A `+` that was not percent-encoded arrives as a space.
const DATE_TIME =
  /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+\- ]([01]\d|2[0-3]):[0-5]\d)$/i

/** Unix milliseconds, or null without one. Throws `invalid_request` naming the field. */
export function readTime(field: 'since' | 'until', input: string | undefined): number | null {
  if (input === undefined) return null
  const day = DATE_TIME.exec(input)?.[1] ?? input
  const ms = isCalendarDay(day) ? Date.parse(input.replace(' ', '+')) : Number.NaN
  if (!Number.isNaN(ms)) return ms
  throw invalidField(
    `query.${field}`,
    'must be a date (2026-11-23) or a date-time with its zone (2026-11-23T09:00:00Z)',
  )
}

function isCalendarDay(day: string): boolean {
  const [, year, month, date] = DATE.exec(day) ?? []
  if (!year || !month || !date) return false
  const time = new Date(Date.UTC(Number(year), Number(month) - 1, Number(date)))
  return time.getUTCMonth() === Number(month) - 1 && time.getUTCDate() === Number(date)
}

/** Throws `invalid_request` for a range that is empty. */
export function checkRange(since: number | null, until: number | null): void {
  if (since !== null && until !== null && since >= until) {
    throw invalidField('query.since', 'must be before until')
  }
}
