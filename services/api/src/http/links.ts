import { type EncodedPage, finishedJson } from './body'
import { originOf } from './request-context'

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

/**
 * The URL of the list with another cursor: whole, since many clients do not join what is relative with what they asked
 * for. Only where a request does not tell its origin it is relative. Cursors need no escape.
 */
function linkToNext(request: Request, cursor: string): string {
  const [, path = '', query = ''] =
    /^(?:https?:\/\/[^/?#]*)?([^?#]*)\??([^#]*)/.exec(request.url) ?? []
  const rest = query.includes('cursor=') ? withoutCursor(query) : query
  return `<${originOf(request) ?? ''}${path}?${rest}${rest === '' ? '' : '&'}cursor=${cursor}>; rel="next"`
}

function withoutCursor(query: string): string {
  return query
    .split('&')
    .filter((part) => !part.startsWith('cursor='))
    .join('&')
}
