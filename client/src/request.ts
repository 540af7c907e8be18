import { type Operations, ROUTES } from './contract.js'

/** What may be sent again although the first try may have been carried out. */
const REPEATABLE: readonly string[] = ['GET', 'PUT', 'DELETE']

export interface Prepared {
  readonly url: string
  readonly init: { method: string; headers: Record<string, string>; body?: string }
  readonly isRepeatable: boolean
}

/** Puts each part of the input where the route wants it: path, header, query or body. */
export function toRequest(
  base: string,
  name: keyof Operations,
  input: Record<string, unknown>,
): Prepared {
  const [method = '', template = ''] = ROUTES[name].split(' ')
  const { idempotencyKey, ...rest } = input
  const path = template.replace(/\{(\w+)\}/g, (_, part: string) => {
    const value = rest[part]
    delete rest[part]
    return encodeURIComponent(String(value))
  })
  const headers: Record<string, string> = {}
  if (typeof idempotencyKey === 'string') headers['idempotency-key'] = idempotencyKey
  const isRepeatable = REPEATABLE.includes(method) || idempotencyKey !== undefined
  const given = Object.entries(rest).filter(([, value]) => value !== undefined)
  if (given.length === 0) return { url: base + path, init: { method, headers }, isRepeatable }
  if (method === 'GET') {
    const query = new URLSearchParams()
    for (const [key, value] of given) query.set(key, String(value))
    return { url: `${base}${path}?${query}`, init: { method, headers }, isRepeatable }
  }
  headers['content-type'] = 'application/json'
  const body = JSON.stringify(Object.fromEntries(given))
  return { url: base + path, init: { method, headers, body }, isRepeatable }
}
