import { Elysia } from 'elysia'
import type { Metrics } from '../observability/metrics'
import type { Readiness } from './readiness'

export interface StatusDeps {
  readonly metrics: Pick<Metrics, 'registry'>
  readonly readiness: () => Promise<Readiness>
}

/**
 * What a service tells operators, on a port of its own: `/livez` (the process answers), `/readyz` (200, or
 * 503 while something it cannot work without is unavailable; the body names each store) and `/metrics`
 * (Prometheus text).
 */
export function createStatusApp({ metrics, readiness }: StatusDeps) {
  const noStore = { 'cache-control': 'no-store' }

  return new Elysia({ name: 'status' })
    .get('/livez', () => Response.json({ status: 'alive' }, { headers: noStore }))
    .get('/readyz', async () => {
      const { ready, stores } = await readiness()
      return Response.json(
        { status: ready ? 'ready' : 'not_ready', stores },
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
