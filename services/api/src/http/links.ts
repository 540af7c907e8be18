import { type EncodedPage, finishedJson } from './body'

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

/** Answers with a page of a list that is encoded already. `Page` is the type that clients read. */
export function finishedPage<Page>(
  { body, nextCursor }: EncodedPage,
  { request, set }: ListAnswer,
): Page {
  if (nextCursor !== null) set.headers.link = linkToNext(request, nextCursor)
  return finishedJson(body, set.headers)
}

/** The query of `request` with another cursor, relative to the list itself. Cursors need no escape. */
function linkToNext({ url }: Request, cursor: string): string {
  const start = url.indexOf('?')
  if (start === -1) return `<?cursor=${cursor}>; rel="next"`
  const query = url.slice(start + 1)
  const rest = query.includes('cursor=') ? withoutCursor(query) : query
  return `<?${rest}${rest === '' ? '' : '&'}cursor=${cursor}>; rel="next"`
}

function withoutCursor(query: string): string {
  return query
    .split('&')
    .filter((part) => !part.startsWith('cursor='))
    .join('&')
}
