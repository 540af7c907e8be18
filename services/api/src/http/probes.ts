import type { Readiness } from '@sns/shared/runtime/readiness'
import { Elysia } from 'elysia'

export interface ProbesDeps {
  readonly readiness: () => Promise<Pick<Readiness, 'ready'>>
}

/**
 * What anyone may ask of an api process, such as the proxy before it: `/livez` and `/readyz`. Which stores it
 * has, which of them is away and all figures are told on the port for operators alone.
 */
export function probes({ readiness }: ProbesDeps) {
  return new Elysia({ name: 'probes' })
    .get('/livez', () => ({ status: 'alive' }), {
      detail: {
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
