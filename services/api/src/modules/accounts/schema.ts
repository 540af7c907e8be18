import { type Static, Type } from '@sinclair/typebox'
import {
  DisplayNameField,
  IdField,
  NewPasswordField,
  pageOf,
  TimeField,
  UsernameField,
} from '../../http/fields'
import { User } from '../users/schema'

export const Signup = Type.Object(
  {
    username: UsernameField,
    password: NewPasswordField,
    displayName: Type.Optional(DisplayNameField),
  },
  {
    component: 'Signup',
    additionalProperties: false,
    description: 'A new account; `displayName` defaults to the username',
  },
)

export const Login = Type.Object(
  {
    username: Type.String({ examples: ['minji'] }),
    password: Type.String({ secret: true }),
  },
  { component: 'Login', additionalProperties: false },
)

const RefreshTokenField = Type.String({ description: 'The latest refresh token that you received' })

export const RefreshTokenBody = Type.Object(
  { refreshToken: RefreshTokenField },
  { component: 'RefreshTokenBody', additionalProperties: false },
)

export const Session = Type.Object(
  {
    user: User,
    accessToken: Type.String({ description: 'A JWT for `Authorization: Bearer`' }),
    refreshToken: Type.String({
      description:
        'Valid for one refresh within 30 days. Using it again ends the session, except once within 10 seconds',
    }),
    expiresIn: Type.Integer({ description: 'Seconds until the access token expires' }),
  },
  { component: 'Session', additionalProperties: false, description: 'A session' },
)

export const AccountChange = Type.Object(
  {
    displayName: Type.Optional(DisplayNameField),
    password: Type.Optional(NewPasswordField),
    currentPassword: Type.Optional(
      Type.String({ description: 'Needed to change the password', secret: true }),
    ),
  },
  {
    component: 'AccountChange',
    additionalProperties: false,
    minProperties: 1,
    dependentRequired: { password: ['currentPassword'], currentPassword: ['password'] },
    description: 'What to change; at least one field',
  },
)

export const AccountDeletion = Type.Object(
  { password: Type.String({ description: 'Your current password', secret: true }) },
  { component: 'AccountDeletion', additionalProperties: false },
)

export const OpenSession = Type.Object(
  {
    id: IdField,
    createdAt: TimeField,
    lastUsedAt: Type.String({ ...TimeField, description: 'When it was last refreshed' }),
    expiresAt: Type.String({
      ...TimeField,
      description: 'When it ends at the latest; it ends earlier if unused for 30 days',
    }),
    current: Type.Boolean({ description: 'Whether this request came from it' }),
  },
  {
    component: 'OpenSession',
    additionalProperties: false,
    description: 'An open session',
  },
)

export const OpenSessionPage = pageOf(
  OpenSession,
  'OpenSessionPage',
  'Your sessions, latest start first',
)

export type Signup = Static<typeof Signup>
export type Login = Static<typeof Login>
export type Session = Static<typeof Session>
export type AccountChange = Static<typeof AccountChange>
export type AccountDeletion = Static<typeof AccountDeletion>
export type OpenSessionPage = Static<typeof OpenSessionPage>
