const DAY_MS = 24 * 3600 * 1000
const DATE_TIME = /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/

/** What is wrong with the time of something that is to be imported. */
export type TimeProblem = 'no date-time with a zone' | 'before 1970' | 'after tomorrow'

/**
 * Unix milliseconds of an ISO 8601 date-time with a zone, or what is wrong with it. Ids are made of times: what is of a
 * time to come would stand above all that is written until then.
 */
export function readTime(value: unknown, now: number): number | TimeProblem {
  const ms = typeof value === 'string' && DATE_TIME.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(ms)) return 'no date-time with a zone'
  if (ms < 0) return 'before 1970'
  return ms < now + DAY_MS ? ms : 'after tomorrow'
}
