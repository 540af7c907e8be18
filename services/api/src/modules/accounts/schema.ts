import { type Static, Type } from '@sinclair/typebox'
import {
  DISPLAY_NAME_MAX,
  PASSWORD_MAX,
  PASSWORD_MIN,
  USERNAME_PATTERN,
} from '@sns/shared/domain/user'
import { IdField, pageOf, TimeField, UsernameField } from '../../http/fields'
import { invalidField, parseName } from '../../http/input'
import { checkNewPassword } from '../../security/passwords'
import { User } from '../users/schema'
import { isReservedUsername } from './names'

const USERNAME = new RegExp(USERNAME_PATTERN)

const NewUsernameField = Type.String({
  ...UsernameField,
  check(username: string, field: string) {
    if (!USERNAME.test(username))
      throw invalidField(field, 'must be 2 to 30 letters, digits or underscores')
    if (isReservedUsername(username)) throw invalidField(field, 'is reserved')
  },
})

const NewPasswordField = Type.String({
  description: `${PASSWORD_MIN} to ${PASSWORD_MAX} characters, not only blanks, and none of the commonest passwords`,
  characters: [PASSWORD_MIN, PASSWORD_MAX],
  secret: true,
  check: (password: string, field: string) => checkNewPassword(field, password),
})

/** No control characters at all. */
const LINE_SHAPE = '^[^\\u0000-\\u001f\\u007f-\\u009f]+$'

const DisplayNameField = Type.String({
  description: 'The name that others see; one line, without invisible characters',
  shape: LINE_SHAPE,
  characters: [1, DISPLAY_NAME_MAX],
  examples: ['민지'],
  check: (name: string, field: string) => parseName(field, name, DISPLAY_NAME_MAX),
})

export const Signup = Type.Object(
  {
    username: NewUsernameField,
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
    check({ password, currentPassword }: { password?: string; currentPassword?: string }) {
      if (password !== undefined && currentPassword === undefined)
        throw invalidField('currentPassword', 'is required to change the password')
      if (password === undefined && currentPassword !== undefined)
        throw invalidField('password', 'is required with currentPassword')
    },
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
