/** Query values arrive as text: makes a decimal `limit` the number that its schema asks for. */
export function pageLimit({ query }: { query: Record<string, unknown> }): void {
  const { limit } = query
  if (typeof limit === 'string' && /^-?\d{1,9}$/.test(limit)) query.limit = Number(limit)
}
