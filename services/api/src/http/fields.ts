import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '@sns/shared/domain/page'
import { MARK_RUN_MAX } from '@sns/shared/domain/text'
import { USERNAME_PATTERN } from '@sns/shared/domain/user'
import { parseText } from './input'

/*
 * Keywords of our own: `component` is the name of a schema in the OpenAPI document, which refers to it by
 * that wherever it stands, nested too (a name given to Elysia's `model` could not stand in another
 * schema); `characters` bounds a text in code points, which the services check after
 * cleaning it (`maxLength` would count UTF-16 units); `rule` says in words what a value must be;
 * `secret` hides what is typed where the document is shown; `shape` (a pattern) and `formats` (any of
 * these) say in the document what a service checks by itself, with an error of its own; `check`, of a
 * field `(value, field) => …` and of an object `(fields) => …`, is what a service refuses beyond
 * the type (`checkContent`), by throwing `invalid_request`: where another field is of a wrong type, one answer names both.
 */

export const IdField = Type.String({
  description: 'A decimal id of up to 16 digits, ordered by time',
  pattern: '^[1-9][0-9]{0,15}$',
  examples: ['311296512000123'],
})

export const TimeField = Type.String({
  description: 'ISO 8601, UTC, milliseconds',
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$',
  examples: ['2026-11-23T08:00:00.000Z'],
})

export const UsernameField = Type.String({
  description: 'Case is kept and ignored in comparisons. Names that staff would use are reserved',
  shape: USERNAME_PATTERN,
  examples: ['minji'],
})

/** No control characters but tab and line ends. */
const TEXT_SHAPE = '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]+$'

/** What somebody writes, of at most `max` characters. */
export function textField(max: number, example: string) {
  return Type.String({
    description: `1 to ${max} characters, not all of them invisible, at most ${MARK_RUN_MAX} combining marks in a row; trimmed and normalised to NFC`,
    characters: [1, max],
    shape: TEXT_SHAPE,
    examples: [example],
    check: (text: string, field: string) => parseText(field, text, max),
  })
}

/** The pattern of every cursor: base64url that begins as `["` does. */
export const CURSOR_PATTERN = '^WyJ[A-Za-z0-9_-]{1,397}$'

const CursorField = Type.String({
  description: '`nextCursor` of the previous page; opaque, valid for one list, never expires',
  shape: CURSOR_PATTERN,
})

/** The query of every list. */
export const PageQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({
        description: 'How many items at most',
        minimum: 1,
        maximum: PAGE_LIMIT_MAX,
        default: PAGE_LIMIT_DEFAULT,
        rule: `must be a whole number from 1 to ${PAGE_LIMIT_MAX}`,
      }),
    ),
    cursor: Type.Optional(CursorField),
  },
  { additionalProperties: false },
)

export type PageQuery = Static<typeof PageQuery>

/** A page of a list, `component` in the document. `nextCursor` is null at the true end and only there. */
export function pageOf<Item extends TSchema>(item: Item, component: string, description: string) {
  return Type.Object(
    {
      items: Type.Array(item),
      nextCursor: Type.Union([Type.String(), Type.Null()], {
        description: 'Pass it as `cursor` for the next page; null only at the true end',
      }),
    },
    { component, additionalProperties: false, description },
  )
}

export const UsernameParams = Type.Object({ username: Type.String({ examples: ['minji'] }) })
export const IdParams = Type.Object({ id: Type.String({ examples: ['311296512000123'] }) })

/**
 * Query values arrive as text: turns a decimal `limit` into the number that its schema asks for.
 */
export function pageLimit({ query }: { query: Record<string, unknown> }): void {
  const { limit } = query
  if (typeof limit === 'string' && /^-?\d{1,9}$/.test(limit)) query.limit = Number(limit)
}

/** Unix milliseconds as ISO 8601 in UTC. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString()
}
