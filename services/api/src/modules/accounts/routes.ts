import { Elysia } from 'elysia'
import type { Authentication } from '../../http/authentication'
import type { Bodies } from '../../http/body'
import { IdParams, PageQuery, pageLimit } from '../../http/fields'
import { pathId } from '../../http/input'
import { nextLink } from '../../http/links'
import {
  OPEN_SESSION_PAGE_EXAMPLE,
  SESSION_EXAMPLE,
  USER_EXAMPLE,
} from '../../http/openapi/examples'
import { LOCATION, NO_CONTENT, openapi, PROBLEMS, unchecked } from '../../http/openapi/operation'
import type { RateLimits } from '../../http/rate-limits'
import type { RequestContexts } from '../../http/request-context'
import { presentUser, User } from '../users/schema'
import {
  AccountChange,
  AccountDeletion,
  Login,
  OpenSessionPage,
  RefreshTokenBody,
  Session,
  Signup,
} from './schema'
import type { createAccountService } from './service'
import type { Sessions } from './sessions'

type AccountService = ReturnType<typeof createAccountService>

export interface SessionRoutesDeps {
  readonly accounts: AccountService
  readonly sessions: Sessions
  readonly bodies: Bodies
  readonly contexts: RequestContexts
  readonly limits: RateLimits
}

export function sessionRoutes(deps: SessionRoutesDeps) {
  const { accounts, sessions, bodies, contexts, limits } = deps
  return new Elysia({ prefix: '/v1/auth' })
    .post(
      '/signup',
      async ({ body, request, set: { headers }, status }) => {
        const session = await accounts.signUp(body, contexts.of(request))
        headers.location = `/v1/users/${session.user.username}`
        return status(201, session)
      },
      {
        parse: bodies.signUp,
        body: Signup,
        response: { 201: unchecked(Session), ...PROBLEMS },
        detail: openapi({
          id: 'signUp',
          tag: 'accounts',
          summary: 'Sign up',
          description:
            'Creates an account and signs it in. The display name defaults to the username.',
          isPublic: true,
          errors: ['username_taken', 'too_many_requests'],
          answerHeaders: { Location: LOCATION },
          examples: {
            request: { username: 'minji', password: 'correct horse battery', displayName: '민지' },
            answer: SESSION_EXAMPLE,
          },
        }),
      },
    )
    .post(
      '/login',
      async ({ body, request, set: { headers } }) => {
        const context = contexts.of(request)
        await limits.logIn(body.username, { context, headers })
        return accounts.logIn(body, context)
      },
      {
        parse: bodies.signIn,
        body: Login,
        response: { 200: unchecked(Session), ...PROBLEMS },
        detail: openapi({
          id: 'logIn',
          tag: 'accounts',
          summary: 'Sign in',
          description:
            'Starts a session. An unknown user and a wrong password get the same answer.',
          isPublic: true,
          errors: ['bad_credentials', 'too_many_requests'],
          examples: {
            request: { username: 'minji', password: 'correct horse battery' },
            answer: SESSION_EXAMPLE,
          },
        }),
      },
    )
    .post(
      '/refresh',
      ({ body, request }) => sessions.refresh(body.refreshToken, contexts.of(request)),
      {
        parse: bodies.signIn,
        body: RefreshTokenBody,
        response: { 200: unchecked(Session), ...PROBLEMS },
        detail: openapi({
          id: 'refreshSession',
          tag: 'accounts',
          summary: 'Refresh a session',
          description:
            'Gives a new access token and replaces the refresh token. The replaced token works once more within 10 seconds: two tabs may refresh at once, or a response may be lost. Any other use of a replaced token means that it leaked, and ends the session.',
          isPublic: true,
          errors: ['refresh_token_invalid', 'refresh_token_reused', 'too_many_requests'],
          examples: {
            request: { refreshToken: SESSION_EXAMPLE.refreshToken },
            answer: SESSION_EXAMPLE,
          },
        }),
      },
    )
    .post(
      '/logout',
      async ({ body, status }) => status(204, await sessions.logOut(body.refreshToken)),
      {
        parse: bodies.signIn,
        body: RefreshTokenBody,
        response: NO_CONTENT,
        detail: openapi({
          id: 'logOut',
          tag: 'accounts',
          summary: 'Sign out',
          description:
            'Ends the session of a refresh token and its access tokens with it. It needs only the refresh token, so it works after the access token has expired. Unknown tokens are ignored.',
          isPublic: true,
          errors: ['too_many_requests'],
          examples: { request: { refreshToken: SESSION_EXAMPLE.refreshToken } },
        }),
      },
    )
}

export interface MeRoutesDeps extends SessionRoutesDeps {
  readonly authenticated: Authentication
}

export function meRoutes(deps: MeRoutesDeps) {
  const { accounts, sessions, bodies, contexts, limits, authenticated } = deps
  return new Elysia({ prefix: '/v1' })
    .use(authenticated)
    .get('/me', ({ viewer }) => presentUser(viewer), {
      response: { 200: unchecked(User), ...PROBLEMS },
      detail: openapi({
        id: 'readAccount',
        tag: 'accounts',
        summary: 'Read your account',
        description: 'The account of the bearer token.',
        examples: { answer: USER_EXAMPLE },
      }),
    })
    .patch(
      '/me',
      async ({ viewer, body, request, set: { headers } }) => {
        const context = contexts.of(request)
        if (body.password !== undefined) await limits.password(viewer.id, { context, headers })
        return accounts.change(viewer, body, context)
      },
      {
        parse: bodies.write,
        body: AccountChange,
        response: { 200: unchecked(User), ...PROBLEMS },
        detail: openapi({
          id: 'changeAccount',
          tag: 'accounts',
          summary: 'Change your account',
          description:
            'Changes the display name, the password or both. A new password needs the current one and ends every session, including this one: log in again.',
          errors: ['bad_credentials'],
          examples: { request: { displayName: '김민지' }, answer: USER_EXAMPLE },
        }),
      },
    )
    .delete(
      '/me',
      async ({ viewer, body, request, set: { headers }, status }) => {
        const context = contexts.of(request)
        await limits.password(viewer.id, { context, headers })
        return status(204, await accounts.delete(viewer, body, context))
      },
      {
        parse: bodies.write,
        body: AccountDeletion,
        response: NO_CONTENT,
        detail: openapi({
          id: 'deleteAccount',
          tag: 'accounts',
          summary: 'Delete your account',
          description:
            'Needs the password. Deletes the account and everything it wrote: posts, comments, likes, follows, blocks, mutes and sessions. This cannot be undone. Nobody can take the username for 30 days.',
          errors: ['bad_credentials'],
          examples: { request: { password: 'correct horse battery' } },
        }),
      },
    )
    .get(
      '/me/sessions',
      ({ viewer, sessionId, query }) => sessions.list(viewer.id, sessionId, query),
      {
        query: PageQuery,
        transform: pageLimit,
        afterHandle: nextLink,
        response: { 200: unchecked(OpenSessionPage), ...PROBLEMS },
        detail: openapi({
          id: 'listSessions',
          tag: 'accounts',
          summary: 'List your sessions',
          description: 'Open sessions, latest start first.',
          errors: ['invalid_cursor'],
          examples: { answer: OPEN_SESSION_PAGE_EXAMPLE },
        }),
      },
    )
    .delete(
      '/me/sessions/:id',
      async ({ viewer, params, status }) =>
        status(204, await sessions.end(viewer.id, pathId<'session'>(params.id))),
      {
        params: IdParams,
        response: NO_CONTENT,
        detail: openapi({
          id: 'endSession',
          tag: 'accounts',
          summary: 'End one of your sessions',
          description: 'Its refresh and access tokens stop working with the next request.',
          errors: ['not_found'],
        }),
      },
    )
}
