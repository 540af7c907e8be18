interface ListAnswer {
  readonly request: Request
  readonly responseValue?: unknown
  readonly set: { readonly headers: Record<string, string | number> }
}

/** Names the next page of a list in a `Link` header (RFC 8288), for clients that follow links. */
export function nextLink({ request, responseValue, set }: ListAnswer): void {
  const { nextCursor } = responseValue as { readonly nextCursor: string | null }
  if (nextCursor !== null) set.headers.link = linkToNext(request, nextCursor)
}

/** The query of `request` with another cursor, relative to the list itself. */
export function linkToNext({ url }: Request, cursor: string): string {
  const start = url.indexOf('?')
  const query = new URLSearchParams(start === -1 ? '' : url.slice(start))
  query.set('cursor', cursor)
  return `<?${query}>; rel="next"`
}
