import type { Readiness } from '@sns/shared/runtime/readiness'
import { Elysia } from 'elysia'

export interface ProbesDeps {
  readonly readiness: () => Promise<Pick<Readiness, 'ready'>>
}

/**
 * The public probes of an api process, for the proxy in front of it: `/livez` and `/readyz`. Which
 * stores are unavailable, and all metrics, are on the operators' port only.
 */
export function probes({ readiness }: ProbesDeps) {
  return new Elysia({ name: 'probes' })
    .get('/livez', () => ({ status: 'alive' }), {
      detail: {
        operationId: 'readLiveness',
        summary: 'Whether the process answers',
        tags: ['status'],
        security: [],
        responses: { 200: statusAnswer('It does', 'alive') },
      },
    })
    .get(
      '/readyz',
      async ({ set }) => {
        const { ready } = await readiness()
        set.status = ready ? 200 : 503
        return { status: ready ? 'ready' : 'not_ready' }
      },
      {
        detail: {
          operationId: 'readReadiness',
          summary: 'Whether the process takes requests',
          tags: ['status'],
          security: [],
          responses: {
            200: statusAnswer('It does', 'ready'),
            503: statusAnswer(
              'A store that it needs is unavailable, or it is about to stop',
              'not_ready',
            ),
          },
        },
      },
    )
}

function statusAnswer(description: string, status: string) {
  const schema = { type: 'object' as const }
  return { description, content: { 'application/json': { schema, example: { status } } } }
}
