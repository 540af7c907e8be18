import { describe, expect, test } from 'bun:test'
import { isSnsError } from '@sns/shared/errors/sns-error'
import { disorderedMarks } from '@sns/shared/testing/awkward-texts'
import { normalizingWork, STEPS_PER_UNIT } from '@sns/shared/testing/normalizing-work'
import { checkNewPassword, createPasswords } from './passwords'

const caller = { key: 'test', signal: new AbortController().signal }
const passwords = createPasswords({ memoryKiB: 8, passes: 1 })

describe('passwords', () => {
  test('are kept as argon2id of the given cost and told apart', async () => {
    const hash = await passwords.hash('비밀번호 is long', caller)
    expect(hash).toStartWith('$argon2id$v=19$m=8,t=1,p=1$')
    expect(await passwords.verify('비밀번호 is long', hash, caller)).toBe(true)
    expect(await passwords.verify('비밀번호 is long'.normalize('NFD'), hash, caller)).toBe(true)
    expect(await passwords.verify('비밀번호 is lonG', hash, caller)).toBe(false)
    expect(await passwords.verify('', hash, caller)).toBe(false)
  })

  test('cost by default what OWASP recommends', async () => {
    const hash = await createPasswords().hash('correct horse', caller)
    expect(hash).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$')
  })

  test('are checked against a hash of the same cost where there is no user', async () => {
    const verified: string[] = []
    const verify = Bun.password.verify
    Bun.password.verify = (async (password: string, hash: string) => {
      verified.push(hash)
      return verify(password, hash)
    }) as typeof verify
    try {
      expect(await passwords.verify('anything at all', null, caller)).toBe(false)
    } finally {
      Bun.password.verify = verify
    }
    const own = await passwords.hash('x', caller)
    expect(verified).toHaveLength(1)
    const shape = (hash: string) => hash.split('$').map((part, at) => (at < 4 ? part : part.length))
    expect(shape(verified[0]!)).toEqual(shape(own))
  })

  test('of the greatest length match in any form of their characters', async () => {
    const password = '각'.repeat(128)
    const hash = await passwords.hash(password, caller)
    expect(await passwords.verify(password.normalize('NFD'), hash, caller)).toBe(true)
  })

  test.each([64, 2])(
    'of %p KiB of marks take steps by their length, not by its square',
    async (kib) => {
      const hash = await passwords.hash('a password', caller)
      const marks = disorderedMarks(kib * 1024)
      for (const check of [
        (text: string) => passwords.verify(text, hash, caller),
        (text: string) => passwords.verify(text, null, caller),
      ]) {
        const steps = await normalizingWork(() => check(marks))
        expect(steps).toBeLessThan(STEPS_PER_UNIT * marks.length)
        expect(await check(marks)).toBe(false)
      }
    },
  )
})

test.each(['q'.repeat(8), 'x'.repeat(128), '😀'.repeat(128), '한국어비밀번호들', 'correct horse'])(
  '%p may be a new password',
  async (password) => {
    await checkNewPassword('password', password)
  },
)

test.each([
  '',
  'x'.repeat(7),
  'x'.repeat(129),
  '😀'.repeat(7),
  'half a pair \ud800',
  `too many marks${'\u0316'.repeat(31)}`,
  ' '.repeat(8),
  '\u3000\u200b'.repeat(8),
  'password',
  'qwertyuiop',
  'PassWord1',
  // The last of ten thousand.
  'dalmatio',
])('%p may not', async (password) => {
  const error = await checkNewPassword('password', password).catch((thrown: unknown) => thrown)
  expect(isSnsError(error, 'invalid_request') && error.fields[0]?.field).toBe('password')
})
