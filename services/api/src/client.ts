import { treaty } from '@elysiajs/eden'
import type { App } from './app'

export type Client = ReturnType<typeof createClient>

/** A typed client: each path is a chain of properties, each answer `{ data, error, status }`. */
export function createClient(baseUrl: string, { token }: { readonly token?: string } = {}) {
  return treaty<App>(baseUrl, {
    // Times stay strings, as the contract says.
    parseDate: false,
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  })
}
