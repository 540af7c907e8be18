import { Elysia } from 'elysia'
import type { Metrics } from '../observability/metrics'
import type { createOperatorAccess } from './operator-access'
import type { Readiness } from './readiness'

export interface StatusDeps {
  readonly metrics: Pick<Metrics, 'registry'>
  readonly readiness: () => Promise<Readiness>
  /** Who may ask for more than is to be read. */
  readonly operators: ReturnType<typeof createOperatorAccess>
  /** Compares what the process keeps with the database: so many entries of each kind, or all. */
  readonly verifyMemory?: ((sample: number) => AsyncGenerator<MemoryReport>) | undefined
}

/** How far a process has compared what it keeps with the database. */
export interface MemoryReport {
  readonly checked: number
  readonly of: number
  /** What differs among the last that were checked. */
  readonly differing: readonly string[]
  /** False while the process uses nothing of what it keeps: nothing was compared. */
  readonly isBelieved: boolean
}

/**
 * What a service tells operators, on a port of its own: `/livez` (the process answers), `/readyz` (200, or
 * 503 while something it cannot work without is unavailable; the body names each store, and what its operator must mend), `/metrics`
 * (Prometheus text) and, where the process keeps something of the database, `POST /memory/verify?sample=N`:
 * a `MemoryReport` a line, until all are checked or the client leaves. Without `sample` it checks all.
 * `operators` decides who may ask for that, and for whatever else is not read alone.
 */
export function createStatusApp({ metrics, readiness, operators, verifyMemory }: StatusDeps) {
  const noStore = { 'cache-control': 'no-store' }
  const app = new Elysia({ name: 'status' }).onRequest(({ request, server }) => {
    const refusal = operators(request, server?.requestIP(request)?.address ?? null)
    if (refusal === null) return
    const { status, message } = refusal
    return new Response(`${message}\n`, { status, headers: noStore })
  })
  if (verifyMemory) {
    app.post('/memory/verify', ({ query: { sample = '' } }) => {
      if (!/^(|[1-9]\d{0,8})$/.test(sample)) {
        return new Response(`sample is "${sample}", not a number of entries\n`, { status: 400 })
      }
      const reports = verifyMemory(sample === '' ? Number.POSITIVE_INFINITY : Number(sample))
      return new Response(lines(reports), {
        headers: { 'content-type': 'application/x-ndjson', ...noStore },
      })
    })
  }

  return app
    .get('/livez', () => Response.json({ status: 'alive' }, { headers: noStore }))
    .get('/readyz', async () => {
      const { ready, stores, reasons } = await readiness()
      return Response.json(
        { status: ready ? 'ready' : 'not_ready', stores, ...(reasons && { reasons }) },
        { status: ready ? 200 : 503, headers: noStore },
      )
    })
    .get(
      '/metrics',
      async () =>
        new Response(await metrics.registry.metrics(), {
          headers: { 'content-type': metrics.registry.contentType, ...noStore },
        }),
    )
}

/** Each value as a line of JSON. A client that leaves ends the work. */
function lines(values: AsyncGenerator<unknown>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await values.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`))
    },
    cancel: async () => void (await values.return(undefined)),
  })
}
