import { Type } from '@sinclair/typebox'
import { type PostId, parseId } from '@sns/shared/domain/id'
import { Elysia } from 'elysia'
import type { Authentication, GrantReader } from '../../http/authentication'
import { readEventId } from '../../http/cursors'
import { checkContent, invalidField } from '../../http/input'
import { openapi, PROBLEMS, unchecked } from '../../http/openapi/operation'
import type { RequestContexts } from '../../http/request-context'
import type { Listeners, Place } from './listeners'

export interface EventRoutesDeps {
  readonly listeners: Listeners
  readonly grants: GrantReader
  readonly contexts: RequestContexts
  readonly authenticated: Authentication
}

const EventQuery = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        description: 'The id of the newest post that you have; without it, posts from now on',
        examples: ['373882721828864'],
        check: readPost,
      }),
    ),
  },
  { additionalProperties: false },
)

const EventHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      description: 'The id of the last event that you got: what came since is sent',
      check: readPlace,
    }),
  ),
})

const EXAMPLE = `retry: 3000
id: WyJldmVudHMiLDM3Mzg4MjcyMTgyODg2MSwwLDAsMCwwXQ

event: posts
id: WyJldmVudHMiLDM3Mzg4MjcyMTgyODg2NCwwLDAsMCwwXQ
data: {"count":3}

`

/** Server-sent events, as the HTML standard defines them. */
export function eventRoutes({ listeners, grants, contexts, authenticated }: EventRoutesDeps) {
  return new Elysia({ prefix: '/v1' }).use(authenticated).get(
    '/events',
    async ({ request, query, headers, set }) => {
      await checkContent({ headers: EventHeaders, query: EventQuery }, { headers, query })
      const place = placeOf(query.after, headers['last-event-id'])
      const grant = await grants(request)
      set.headers['content-type'] = 'text/event-stream'
      // Proxies that buffer would hold events back.
      set.headers['x-accel-buffering'] = 'no'
      // Whoever asks for the headers alone listens to nothing.
      if (request.method === 'HEAD') return new Response(null) as Response & string
      const { countedAs: address } = contexts.of(request)
      const body = await listeners.listen({ grant, address, signal: request.signal }, place)
      return new Response(body) as Response & string
    },
    {
      query: EventQuery,
      headers: EventHeaders,
      response: {
        200: unchecked(Type.String({ description: 'A stream of events (`text/event-stream`)' })),
        ...PROBLEMS,
      },
      detail: openapi({
        id: 'listenToEvents',
        tag: 'events',
        summary: 'Listen to what is new',
        description:
          'A stream of server-sent events. `posts`, `{"count": n}`: so many posts of others (up to 100) are new in your feed since the last such event; read them with `after`. `notification`: a notification, as in the list; after more than 100 at once, `reset`, `{"list": "notifications"}`: read the list. What happens within a second comes together. Send `Last-Event-ID` to go on where a connection broke. A comment comes every 25 seconds; the stream ends with the session, when the server stops, or when you read too slowly. At most 10 streams an account, and a tenth of what the server allows an address.',
        errors: ['too_many_requests'],
        examples: { answer: EXAMPLE },
        answerType: 'text/event-stream',
      }),
    },
  )
}

function placeOf(after: string | undefined, last: string | undefined): Place {
  if (last !== undefined) return readPlace(last, 'header.last-event-id')
  return { post: after === undefined ? null : readPost(after, 'query.after'), notification: null }
}

/** Throws `invalid_request`. */
function readPlace(id: string, field: string): Place {
  const place = readEventId(id)
  if (place === null) throw invalidField(field, 'is not the id of an event')
  return place
}

/** Throws `invalid_request`. */
function readPost(id: string, field: string): PostId {
  const post = parseId<'post'>(id)
  if (post === null) throw invalidField(field, 'is not the id of a post')
  return post
}
