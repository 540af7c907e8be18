import { BaseConnection, errors } from '@elastic/elasticsearch'

type Send = BaseConnection['request']
type Request = Parameters<Send>[0]
type RequestOptions = Omit<Parameters<Send>[1], 'asStream'>

interface Answer {
  readonly body: string
  readonly statusCode: number
  readonly headers: Record<string, string>
}

/**
 * Carries the vendor's client over the runtime's `fetch`, which keeps connections open by itself. The client's own
 * connections are made for Node: one fails here, the other spends twice the processor's time on a search. Answers come
 * whole, not as streams.
 */
export class FetchConnection extends BaseConnection {
  /** Errors: those that the client's own connections throw. */
  override readonly request = ((params: Request, options: RequestOptions) =>
    this.#send(params, options)) as Send

  /** The runtime closes connections when they have been idle. */
  override async close(): Promise<void> {}

  async #send(params: Request, options: RequestOptions): Promise<Answer> {
    const { method, path, querystring, headers, body } = params
    const { signal, timeout } = options
    const query = querystring ? `?${querystring}` : ''
    const limits = [signal, timeout ? AbortSignal.timeout(timeout) : undefined]
    try {
      const base = this.url.origin + this.url.pathname.replace(/\/+$/, '')
      const response = await fetch(base + path + query, {
        method,
        redirect: 'manual',
        // Compression costs both sides more than it saves on the way.
        headers: textHeaders({ ...this.headers, ...headers, 'accept-encoding': 'identity' }),
        ...(typeof body === 'string' || body instanceof Buffer ? { body } : {}),
        signal: AbortSignal.any(limits.filter((limit) => limit !== undefined)),
        tls: {
          rejectUnauthorized: this.tls?.rejectUnauthorized ?? true,
          ...(this.tls?.ca && { ca: String(this.tls.ca) }),
        },
      })
      return {
        body: await response.text(),
        statusCode: response.status,
        headers: Object.fromEntries(response.headers),
      }
    } catch (cause) {
      const { name, message } = cause instanceof Error ? cause : new Error(String(cause))
      if (name === 'TimeoutError') throw new errors.TimeoutError('Request timed out')
      if (signal?.aborted) throw new errors.RequestAbortedError('Request aborted')
      const code = cause instanceof Error && 'code' in cause ? { code: cause.code } : {}
      throw Object.assign(new errors.ConnectionError(message), code)
    }
  }
}

function textHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) texts[name] = String(value)
  }
  return texts
}
