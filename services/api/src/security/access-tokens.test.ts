import { afterEach, beforeEach, expect, spyOn, test } from 'bun:test'
import type { SessionId, UserId } from '@sns/shared/domain/id'
import { isSnsError } from '@sns/shared/errors/sns-error'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import { SignJWT } from 'jose'
import { ACCESS_TOKEN_SECONDS, createAccessTokens } from './access-tokens'

const grant = { userId: 4096 as UserId, sessionId: 8192 as SessionId, epoch: 3 }
const secretKey = 'a key for tests that is long enough'

let checks: ReturnType<typeof spyOn<SubtleCrypto, 'verify'>>
beforeEach(() => {
  checks = spyOn(crypto.subtle, 'verify')
})
afterEach(() => {
  checks.mockRestore()
})

function create(remembered = 100) {
  const clock = createManualClock()
  return { clock, tokens: createAccessTokens({ clock, secretKey }, { remembered }) }
}

/** What a check ends with where it fails. */
const refusal = (check: unknown) => Promise.resolve(check).catch((thrown: unknown) => thrown)

test('say what they were signed with', async () => {
  const { tokens } = create()
  expect(await tokens.verify(await tokens.sign(grant))).toEqual(grant)
})

test('without a time at which they expire, or by another key or name, are refused', async () => {
  const { clock, tokens } = create()
  const sign = (change: (token: SignJWT) => SignJWT, key = secretKey) =>
    change(
      new SignJWT({ sid: '8192', epoch: 3 })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setSubject('4096')
        .setIssuer('sns')
        .setAudience('sns-api'),
    ).sign(new TextEncoder().encode(key))
  const expiring = (token: SignJWT) => token.setExpirationTime(clock.now() / 1000 + 60)
  expect(await tokens.verify(await sign(expiring))).toEqual(grant)
  for (const token of [
    await sign((token) => token),
    await sign(expiring, 'another key that is long enough too'),
    await sign((token) => expiring(token).setIssuer('another')),
    await sign((token) => expiring(token).setAudience('another')),
  ]) {
    const error = await refusal(tokens.verify(token))
    expect(isSnsError(error, 'unauthenticated')).toBe(true)
  }
})

test('are checked once, until they expire', async () => {
  const { clock, tokens } = create()
  const token = await tokens.sign(grant)
  for (let n = 0; n < 5; n++) await tokens.verify(token)
  expect(checks).toHaveBeenCalledTimes(1)
  clock.advance(ACCESS_TOKEN_SECONDS * 1000)
  const error = await refusal(tokens.verify(token))
  expect(isSnsError(error, 'unauthenticated')).toBe(true)
})

test('are remembered up to a bound: the one unused the longest is checked again', async () => {
  const { tokens } = create(3)
  const [first, ...others] = await Promise.all(Array.from({ length: 4 }, () => tokens.sign(grant)))
  for (const token of [first!, ...others]) await tokens.verify(token)
  expect(checks).toHaveBeenCalledTimes(4)
  for (const token of others) await tokens.verify(token)
  expect(checks).toHaveBeenCalledTimes(4)
  await tokens.verify(first!)
  expect(checks).toHaveBeenCalledTimes(5)
})
