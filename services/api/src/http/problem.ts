import { type Static, Type } from '@sinclair/typebox'
import { ERROR_CODES, type ErrorCode } from '@sns/shared/errors/error-codes'

/** Every error the api answers with (RFC 9457), as `application/problem+json`. */
export const Problem = Type.Object(
  {
    type: Type.String({
      description: 'Names the kind of problem: `urn:sns:problem:` and the code',
    }),
    title: Type.String({ description: 'The same text for every problem with this code' }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    code: Type.Unsafe<ErrorCode>(
      Type.String({
        enum: Object.keys(ERROR_CODES),
        description: 'Stable; programs should check this',
      }),
    ),
    detail: Type.Optional(Type.String({ description: 'What is wrong this time, and what to do' })),
    fields: Type.Optional(
      Type.Array(
        Type.Object(
          {
            field: Type.String({ description: 'Where: `username`, `query.limit`' }),
            message: Type.String(),
          },
          { additionalProperties: false },
        ),
        { description: 'Every invalid field, in a 422' },
      ),
    ),
    requestId: Type.String({ description: 'As in `X-Request-Id`; quote it to the operator' }),
  },
  { component: 'Problem', additionalProperties: false, description: 'What went wrong' },
)

export type Problem = Static<typeof Problem>

export const PROBLEM_CONTENT_TYPE = 'application/problem+json'

/** The `type` of every problem of a code. */
export function problemType(code: string): string {
  return `urn:sns:problem:${code}`
}
