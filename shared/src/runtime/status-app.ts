import { Elysia } from 'elysia'
import type { Metrics } from '../observability/metrics'
import type { HealthCheck } from '../ports/health'
import { createReadiness, type ReadinessOptions } from './readiness'

export interface StatusDeps {
  readonly metrics: Pick<Metrics, 'registry'>
  readonly health: readonly HealthCheck[]
}

/**
 * `/livez` (the process answers), `/readyz` (200, or 503 while something it cannot work without is
 * away; the body names each store) and `/metrics` (Prometheus text). Mounted by every service.
 */
export function createStatusApp({ metrics, health }: StatusDeps, options: ReadinessOptions = {}) {
  const readiness = createReadiness(health, options)
  const noStore = { 'cache-control': 'no-store' }

  return new Elysia({ name: 'status' })
    .get('/livez', () => Response.json({ status: 'alive' }, { headers: noStore }), {
      detail: {
        summary: 'Whether the process answers',
        tags: ['status'],
        security: [],
        responses: { 200: jsonAnswer('It does', { status: 'alive' }) },
      },
    })
    .get(
      '/readyz',
      async () => {
        const { ready, stores } = await readiness()
        return Response.json(
          { status: ready ? 'ready' : 'not_ready', stores },
          { status: ready ? 200 : 503, headers: noStore },
        )
      },
      {
        detail: {
          summary: 'Whether the service can do its job, and which stores answer',
          tags: ['status'],
          security: [],
          responses: {
            200: jsonAnswer('Ready', { status: 'ready', stores: { mysql: 'ok', redis: 'ok' } }),
            503: jsonAnswer('Something it needs is away', {
              status: 'not_ready',
              stores: { mysql: 'away', redis: 'ok' },
            }),
          },
        },
      },
    )
    .get(
      '/metrics',
      async () =>
        new Response(await metrics.registry.metrics(), {
          headers: { 'content-type': metrics.registry.contentType, ...noStore },
        }),
      {
        detail: {
          summary: 'Metrics in the Prometheus text format',
          tags: ['status'],
          security: [],
          responses: {
            200: {
              description: 'The metrics',
              content: { 'text/plain': { schema: { type: 'string' as const } } },
            },
          },
        },
      },
    )
}

function jsonAnswer(description: string, example: Readonly<Record<string, unknown>>) {
  const schema = { type: 'object' as const }
  return { description, content: { 'application/json': { schema, example } } }
}
