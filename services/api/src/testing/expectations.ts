import { expect } from 'bun:test'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { ERROR_CODES, type ErrorCode } from '@sns/shared/errors/error-codes'
import { PROBLEM_CONTENT_TYPE, Problem } from '../http/problem'
import type { Answer } from './test-api'

/** Expects a response with this status and a body of exactly this shape. */
export function expectBody(answer: Answer, status: number, schema: TSchema): void {
  if (answer.status !== status) expect(answer.body).toBe(`an answer with status ${status}`)
  expect(answer.headers.get('content-type')).toMatch(/^application\/json(;|$)/)
  expect([...Value.Errors(schema, answer.body)]).toEqual([])
}

export function expectNoContent(answer: Answer): void {
  expect(answer.body).toBe('')
  expect(answer.status).toBe(204)
}

/** Expects a complete problem response with this code; it names `fields` if they are given. */
export function expectProblem(answer: Answer, code: ErrorCode, fields?: readonly string[]): void {
  expect(answer.body).toMatchObject({
    type: `urn:sns:problem:${code}`,
    title: ERROR_CODES[code].title,
    status: ERROR_CODES[code].status,
    code,
    requestId: answer.headers.get('x-request-id') ?? '',
  })
  expect(answer.status).toBe(ERROR_CODES[code].status)
  expect(answer.headers.get('content-type')).toBe(PROBLEM_CONTENT_TYPE)
  expect([...Value.Errors(Problem, answer.body)]).toEqual([])
  if (fields) {
    const named = (answer.body.fields ?? []).map(({ field }: { field: string }) => field)
    expect(named.toSorted()).toEqual([...fields].sort())
  }
}
