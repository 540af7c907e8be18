export type Environment = Readonly<Record<string, string | undefined>>

/** The process's own environment, `.env` included. Nothing else in the project reads it. */
export const environment: Environment = process.env
