import { availableParallelism } from 'node:os'
import { normalizingProblem, showsNothing } from '@sns/shared/domain/text'
import { PASSWORD_MAX, PASSWORD_MIN } from '@sns/shared/domain/user'
import { invalidField, TOO_MANY_MARKS } from '../http/input'
import { type Caller, createFairQueue } from './fair-queue'

export interface PasswordCost {
  readonly memoryKiB: number
  readonly passes: number
}

/** What OWASP's password storage cheat sheet recommends for argon2id: about 40 ms of one core. */
const OWASP_COST: PasswordCost = { memoryKiB: 19_456, passes: 2 }

/** About twenty seconds of hashing on two cores, well within the idle timeout; more is refused. */
const WAITING = 1_000
const WAITING_EACH = 100

export type Passwords = ReturnType<typeof createPasswords>

/** Hashes and checks passwords with argon2id, a few at once. */
export function createPasswords(cost: PasswordCost = OWASP_COST) {
  const queue = createFairQueue({
    concurrency: Math.max(2, availableParallelism()),
    waiting: WAITING,
    waitingEach: WAITING_EACH,
  })
  const decoy = decoyHash(cost)

  return {
    hash(password: string, caller: Caller): Promise<string> {
      return queue.run(caller, () =>
        Bun.password.hash(password.normalize('NFC'), {
          algorithm: 'argon2id',
          memoryCost: cost.memoryKiB,
          timeCost: cost.passes,
        }),
      )
    },
    /**
     * False for null (an unknown user), after as much time as for a wrong password. False at once
     * for a text that no password can be, whoever the user.
     */
    async verify(password: string, hash: string | null, caller: Caller): Promise<boolean> {
      if (password === '' || normalizingProblem(password, PASSWORD_MAX) !== null) return false
      const matches = await queue.run(caller, () =>
        Bun.password.verify(password.normalize('NFC'), hash ?? decoy),
      )
      return matches && hash !== null
    },
  }
}

/** Throws `invalid_request` naming `field`. */
export async function checkNewPassword(field: string, password: string): Promise<void> {
  if (!password.isWellFormed()) throw invalidField(field, 'must be well-formed Unicode')
  const length = [...password].length
  if (length < PASSWORD_MIN || length > PASSWORD_MAX) {
    throw invalidField(field, `must be ${PASSWORD_MIN} to ${PASSWORD_MAX} characters`)
  }
  if (normalizingProblem(password, PASSWORD_MAX) === 'long_mark_run') {
    throw invalidField(field, TOO_MANY_MARKS)
  }
  if (showsNothing(password)) throw invalidField(field, 'must hold something that can be seen')
  if (await isCommonPassword(password.normalize('NFC'))) {
    throw invalidField(field, 'is one of the commonest passwords; choose another')
  }
}

/** A hash of the same cost that no password is known to match. */
function decoyHash({ memoryKiB, passes }: PasswordCost): string {
  const base64 = (bytes: number) =>
    Buffer.from(crypto.getRandomValues(new Uint8Array(bytes)))
      .toString('base64')
      .replace(/=+$/, '')
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=1$${base64(32)}$${base64(32)}`
}

const COMMONEST = 10_000

let commonest: Promise<ReadonlySet<string>> | null = null

/**
 * Whether the password is among the ten thousand commonest of allowed length, ignoring case. The
 * list is unpacked on first use, in about 15 ms.
 */
async function isCommonPassword(password: string): Promise<boolean> {
  commonest ??= readCommonest()
  return (await commonest).has(password.toLowerCase())
}

async function readCommonest(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  const ranked = dictionary['passwords-common']
  return new Set(ranked.filter(({ length }) => length >= PASSWORD_MIN).slice(0, COMMONEST))
}
