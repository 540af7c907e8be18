import { Elysia } from 'elysia'

/**
 * Ends each connection with its answer while the process is about to stop: a proxy that keeps connections lets
 * go of them one by one, and none is taken for a request just when the process closes it.
 */
export function farewell({ leaving }: { readonly leaving: AbortSignal }) {
  return new Elysia({ name: 'farewell' }).onRequest(({ set }) => {
    if (leaving.aborted) set.headers.connection = 'close'
  })
}
