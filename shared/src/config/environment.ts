export type Environment = Readonly<Record<string, string | undefined>>

/** The process's own environment, `.env` included. Nothing else in the project reads it. */
export const environment: Environment = process.env

/** What a child program needs to find commands and caches; none of our settings. */
export function commandEnvironment(): Record<string, string> {
  return { PATH: environment.PATH ?? '', HOME: environment.HOME ?? '' }
}
