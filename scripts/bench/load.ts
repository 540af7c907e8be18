import type { Socket } from 'bun'

interface LoadOptions {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  /** The next request of a connection: what to ask, and as whom. */
  readonly next: () => { readonly path: string; readonly token: string }
}

export interface LoadResult {
  readonly requestsPerSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly requests: number
  /** Answers other than 200. */
  readonly failures: number
  readonly meanBodyBytes: number
}

/** Closed-loop load: each connection sends its next request when the last was answered. */
export async function runLoad({
  url,
  connections,
  seconds,
  next,
}: LoadOptions): Promise<LoadResult> {
  const { hostname, port } = new URL(url)
  const open = await Promise.all(
    Array.from({ length: connections }, () => openHttpConnection(hostname, Number(port))),
  )
  const times: number[] = []
  let failures = 0
  let bytes = 0
  const startedAt = performance.now()
  const deadline = startedAt + seconds * 1000
  await Promise.all(
    open.map(async (connection) => {
      while (performance.now() < deadline) {
        const { path, token } = next()
        const sentAt = performance.now()
        const answer = await connection.get(path, token)
        times.push(performance.now() - sentAt)
        bytes += answer.body.length
        if (answer.status !== 200) failures++
      }
    }),
  )
  const elapsed = (performance.now() - startedAt) / 1000
  for (const connection of open) connection.close()
  times.sort((a, b) => a - b)
  return {
    requestsPerSecond: Math.round(times.length / elapsed),
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    requests: times.length,
    failures,
    meanBodyBytes: Math.round(bytes / Math.max(1, times.length)),
  }
}

interface HttpAnswer {
  readonly status: number
  readonly body: string
}

/**
 * One keep-alive HTTP/1.1 connection for load: writes a request, hands over the answer, nothing else.
 * It exists because a general client costs more per request than the server that is measured. The body
 * of a chunked answer is handed over as it came.
 */
export interface HttpConnection {
  get(path: string, token: string): Promise<HttpAnswer>
  close(): void
}

async function openHttpConnection(hostname: string, port: number): Promise<HttpConnection> {
  let waiting: PromiseWithResolvers<HttpAnswer> | null = null
  let received = Buffer.alloc(0)

  function fail(reason: string): void {
    waiting?.reject(new Error(reason))
    waiting = null
  }

  const socket: Socket = await Bun.connect({
    hostname,
    port,
    socket: {
      data(_, chunk) {
        received = received.length === 0 ? Buffer.from(chunk) : Buffer.concat([received, chunk])
        const headEnd = received.indexOf('\r\n\r\n')
        if (headEnd < 0) return
        const head = received.toString('latin1', 0, headEnd)
        const end = endOfAnswer(received, head, headEnd + 4)
        if (end === null) return fail(`no length in: ${head}`)
        if (received.length < end) return
        const answer = {
          status: Number(head.slice(9, 12)),
          body: received.toString('utf8', headEnd + 4, end),
        }
        received = Buffer.from(received.subarray(end))
        const done = waiting
        waiting = null
        done?.resolve(answer)
      },
      close: () => fail('the server closed the connection'),
      error: (_, error) => fail(error.message),
    },
  })

  return {
    get(path, token) {
      if (waiting) throw new Error('one request at a time')
      waiting = Promise.withResolvers<HttpAnswer>()
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      )
      return waiting.promise
    },
    close: () => socket.end(),
  }
}

const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n')

/** Where the answer ends, infinite while that is not known; null where nothing tells. */
function endOfAnswer(received: Buffer, head: string, body: number): number | null {
  const [, length] = /content-length: (\d+)/i.exec(head) ?? []
  if (length !== undefined) return body + Number(length)
  if (!/transfer-encoding: chunked/i.test(head)) return null
  const last = received.indexOf(LAST_CHUNK, body)
  return last < 0 ? Number.POSITIVE_INFINITY : last + LAST_CHUNK.length
}

/** The value below which a share of `sorted` (ascending) lies, by nearest rank; NaN of nothing. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
