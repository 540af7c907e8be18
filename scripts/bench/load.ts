import { openHttpConnection } from './http-connection'
import { percentile } from './percentile'

export interface LoadOptions {
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
