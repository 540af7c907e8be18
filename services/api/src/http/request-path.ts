/** The path of a request. Not by `URL`: its host is whatever the client wrote, and may be none. */
export function pathOf({ url }: Request): string {
  return url.replace(/^[a-z]+:\/\/[^/?#]*/i, '').split('?')[0] ?? ''
}
