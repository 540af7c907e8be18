import { PASSWORD_MIN } from '@sns/shared/domain/user'

const COMMONEST = 10_000

let commonest: Promise<ReadonlySet<string>> | null = null

/**
 * Whether it is one of the ten thousand commonest passwords of those long enough to be chosen, case
 * aside. The list is unpacked when it is first asked for, in about 15 ms.
 */
export async function isCommonPassword(password: string): Promise<boolean> {
  commonest ??= readCommonest()
  return (await commonest).has(password.toLowerCase())
}

async function readCommonest(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  const ranked = dictionary['passwords-common']
  return new Set(ranked.filter(({ length }) => length >= PASSWORD_MIN).slice(0, COMMONEST))
}
