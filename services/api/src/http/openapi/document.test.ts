import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { ERROR_CODES, type ErrorCode } from '@sns/shared/errors/error-codes'
import { openTestApi, type TestApi } from '../../testing/test-api'

// biome-ignore lint/suspicious/noExplicitAny: a document of many shapes
type Json = any

let api: TestApi
let document: Json
beforeAll(async () => {
  api = await openTestApi()
  document = (await api.request('GET', '/swagger/json')).body
})
afterAll(() => api[Symbol.asyncDispose]())

function operations(): { name: string; path: string; method: string; operation: Json }[] {
  return Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      method,
      operation,
    })),
  )
}

/** A schema of the document with its references filled in. */
function resolve(node: Json): Json {
  if (Array.isArray(node)) return node.map(resolve)
  if (typeof node !== 'object' || node === null) return node
  if (typeof node.$ref === 'string') {
    return resolve(document.components.schemas[node.$ref.split('/').at(-1) ?? ''])
  }
  return Object.fromEntries(Object.entries(node).map(([key, each]) => [key, resolve(each)]))
}

/** Checks by a JSON Schema of the document: types, required and unknown fields, bounds, patterns. */
function problemsOf(schema: Json, value: Json, at = ''): string[] {
  const types = [schema.type].flat()
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  const fits = types.some(
    (each) =>
      each === type || (each === 'integer' && Number.isInteger(value)) || each === undefined,
  )
  if (!fits) return [`${at} is ${type}, not ${types}`]
  if (type === 'array')
    return value.flatMap((v: Json, i: number) => problemsOf(schema.items, v, `${at}/${i}`))
  if (type === 'string') {
    const length = [...value].length
    const wrong =
      length < (schema.minLength ?? 0) ||
      length > (schema.maxLength ?? Number.POSITIVE_INFINITY) ||
      (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
    return wrong ? [`${at} does not fit`] : []
  }
  if (type !== 'object') return []
  const known = Object.keys(schema.properties ?? {})
  return [
    ...(schema.required ?? [])
      .filter((key: string) => !(key in value))
      .map((key: string) => `${at}/${key} missing`),
    ...Object.keys(value).flatMap((key) =>
      known.includes(key)
        ? problemsOf(schema.properties[key], value[key], `${at}/${key}`)
        : schema.additionalProperties === false
          ? [`${at}/${key} unknown`]
          : [],
    ),
  ]
}

describe('the document', () => {
  test('asks for what the services ask for: cursors, times, both passwords or none', () => {
    const parameter = (path: string, name: string) =>
      document.paths[path].get.parameters.find((each: Json) => each.name === name).schema
    const cursor = new RegExp(parameter('/v1/feed', 'cursor').pattern)
    expect([cursor.test(''), cursor.test('no cursor!'), cursor.test('WyJmZWVkIiwxXQ')]).toEqual([
      false,
      false,
      true,
    ])
    expect(parameter('/v1/search/posts', 'since').anyOf).toEqual([
      { format: 'date' },
      { format: 'date-time' },
    ])
    expect(document.components.schemas.AccountChange.dependentRequired).toEqual({
      password: ['currentPassword'],
      currentPassword: ['password'],
    })
  })

  test('is OpenAPI 3.1 and holds every route there is, and no other', () => {
    expect(document.openapi).toStartWith('3.1')
    const routes = api.app.routes
      .filter(({ path, hooks }) => !path.startsWith('/swagger') && hooks.detail?.hide !== true)
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
    expect(
      operations()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(routes.sort())
    expect(routes.length).toBeGreaterThan(30)
  })

  test('says of each route what it does, under which tag, and with what security', () => {
    const tags = document.tags.map(({ name }: Json) => name)
    const ids = new Set<string>()
    for (const { name, path, operation } of operations()) {
      expect(operation.summary, name).toMatch(/\S/)
      expect(operation.description, name).toMatch(/\S/)
      expect(tags, name).toContain(operation.tags[0])
      ids.add(operation.operationId)
      const isPublic = !path.startsWith('/v1') || path.startsWith('/v1/auth/')
      expect(operation.security, name).toEqual(isPublic ? [] : [{ bearer: [] }])
      for (const parameter of operation.parameters ?? []) {
        expect(parameter.schema.type, `${name} ${parameter.name}`).toBeDefined()
        if (parameter.in !== 'path')
          expect(parameter.description, `${name} ${parameter.name}`).toMatch(/\S/)
      }
    }
    expect(ids.size).toBe(operations().length)
    for (const id of ids) expect(id).toMatch(/^[a-z]+([A-Z][a-z]+)*$/)
    expect([...ids]).toContain('listFollowers')
    expect(document.components.securitySchemes.bearer).toMatchObject({
      type: 'http',
      scheme: 'bearer',
    })
  })

  test('gives one JSON example for each body and each answer, true to its schema', () => {
    for (const { name, path, operation } of operations()) {
      if (!path.startsWith('/v1')) continue
      const [status, success] = Object.entries<Json>(operation.responses).find(
        ([key]) => key < '3',
      )!
      const media = [
        operation.requestBody?.content,
        status === '204' ? undefined : success.content,
      ].filter((content) => content !== undefined)
      for (const content of media) {
        if (path === '/v1/events') {
          expect(Object.keys(content), name).toEqual(['text/event-stream'])
          continue
        }
        expect(Object.keys(content), name).toEqual(['application/json'])
        const { schema, example } = content['application/json']
        expect(schema.$ref, name).toStartWith('#/components/schemas/')
        expect(problemsOf(resolve(schema), example), name).toEqual([])
      }
    }
  })

  test('lists every error of each route, as a problem with an example for each code', () => {
    for (const { name, path, operation } of operations()) {
      const failures = Object.entries<Json>(operation.responses).filter(([status]) => status >= '4')
      expect(
        failures.map(([status]) => status),
        name,
      ).toContain('500')
      if (!path.startsWith('/v1')) continue
      const statuses = failures.map(([status]) => status)
      expect(statuses, name).toContain('503')
      expect(statuses.includes('401') || operation.security.length === 0, name).toBe(true)
      if (operation.requestBody) {
        for (const status of ['400', '413', '415', '422']) expect(statuses, name).toContain(status)
      }
      for (const [status, { content, description }] of failures) {
        expect(description, name).toMatch(/\S/)
        const { schema, examples } = content['application/problem+json']
        expect(schema.$ref).toBe('#/components/schemas/Problem')
        for (const [code, { value }] of Object.entries<Json>(examples)) {
          expect(problemsOf(resolve(schema), value), name).toEqual([])
          expect(ERROR_CODES[code as ErrorCode].status, name).toBe(Number(status) as 400)
        }
      }
    }
  })

  test('has no reference without a target, and nothing of what only our code reads', () => {
    const text = JSON.stringify(document)
    const names = Object.keys(document.components.schemas)
    for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) {
      expect(names).toContain(name ?? '')
    }
    for (const keyword of [
      'noValidate',
      'characters',
      'rule',
      'secret',
      'shape',
      'formats',
      'x-operation',
    ]) {
      expect(text.includes(`"${keyword}":`), keyword).toBe(false)
    }
    expect(document.components.schemas.PostDraft.properties.text).toMatchObject({
      minLength: 1,
      maxLength: 2_000,
    })
  })
})

describe('the page', () => {
  test('loads only what we serve', async () => {
    const page = await api.request('GET', '/swagger')
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const urls = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url)
    expect(urls.filter((url) => !url.startsWith('/swagger/') && !url.startsWith('data:'))).toEqual(
      [],
    )
    expect(page.body).not.toContain('://')
    for (const url of urls.filter((each) => each.startsWith('/'))) {
      const asset = await api.request('GET', url)
      expect(asset.status).toBe(200)
      expect(asset.headers.get('content-type')).toMatch(/^text\/(css|javascript)/)
      expect(asset.body.length).toBeGreaterThan(50)
    }
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  })
})
