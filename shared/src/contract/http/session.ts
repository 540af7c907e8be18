import { type Static, Type } from '@sinclair/typebox'
import { DisplayNameField, NewPasswordField, UsernameField } from './fields'
import { User } from './user'

export const Signup = Type.Object(
  {
    username: UsernameField,
    password: NewPasswordField,
    displayName: Type.Optional(DisplayNameField),
  },
  {
    additionalProperties: false,
    description: 'A new account; `displayName` is the username if absent',
  },
)

export const Login = Type.Object(
  {
    username: Type.String({ examples: ['minji'] }),
    password: Type.String({ secret: true }),
  },
  { additionalProperties: false },
)

const RefreshTokenField = Type.String({ description: 'The newest one you were given' })

export const RefreshTokenBody = Type.Object(
  { refreshToken: RefreshTokenField },
  { additionalProperties: false },
)

export const Session = Type.Object(
  {
    user: User,
    accessToken: Type.String({ description: 'A JWT for `Authorization: Bearer`' }),
    refreshToken: Type.String({
      description: 'Good for one refresh within 30 days; using it twice ends the session',
    }),
    expiresIn: Type.Integer({ description: 'Seconds until the access token expires' }),
  },
  { additionalProperties: false, description: 'A session' },
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
    additionalProperties: false,
    minProperties: 1,
    dependentRequired: { password: ['currentPassword'], currentPassword: ['password'] },
    description: 'What to change; at least one field',
  },
)

export type Signup = Static<typeof Signup>
export type Login = Static<typeof Login>
export type Session = Static<typeof Session>
export type AccountChange = Static<typeof AccountChange>
