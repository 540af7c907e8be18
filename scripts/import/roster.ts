import { USERNAME_PATTERN } from '@sns/shared/domain/user'

const USERNAME = new RegExp(USERNAME_PATTERN)
const NUMBER = /^u?(\d{1,9})$/i
/** Users with names get the numbers from here on, in the order in which they come. */
const NAMED_FROM = 1_000_000_000

/** Who occurs in an input. A number is a user too: `7` is `u7`. */
export interface Roster {
  /** Whether it is a number or a username. */
  isPerson(person: string): boolean
  /** The number of a user; null for what is neither a number nor a username. The first spelling of a name counts. */
  add(person: string): number | null
  usernameOf(number: number): string
  /** In ascending order. */
  numbers(): readonly number[]
}

export function createRoster(): Roster {
  const numbered = new Set<number>()
  const byName = new Map<string, number>()
  const names: string[] = []
  return {
    isPerson: (person) => NUMBER.test(person) || USERNAME.test(person),
    add(person) {
      const digits = NUMBER.exec(person)?.[1]
      if (digits !== undefined) {
        const number = Number(digits)
        numbered.add(number)
        return number
      }
      if (!USERNAME.test(person)) return null
      const key = person.toLowerCase()
      const known = byName.get(key)
      if (known !== undefined) return known
      const number = NAMED_FROM + names.length
      names.push(person)
      byName.set(key, number)
      return number
    },
    usernameOf: (number) =>
      number >= NAMED_FROM ? (names[number - NAMED_FROM] ?? '') : `u${number}`,
    numbers: () => [...[...numbered].sort((a, b) => a - b), ...byName.values()],
  }
}
