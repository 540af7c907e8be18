import {
  browserSession,
  type Client,
  createClient,
  ProblemError,
  type Session,
  UnreachableError,
} from '@sns/client'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Language, Texts } from './texts'

/** Told when somebody signed in or out in this tab. */
const onSession = new EventTarget()

export const sns: Client = createClient({
  session: browserSession(),
  onSession: () => onSession.dispatchEvent(new Event('change')),
})

/** Calls `changed` when somebody signed in or out, in this tab or another. */
export function watchSession(changed: (session: Session | null) => void): () => void {
  const tell = () => changed(sns.session)
  onSession.addEventListener('change', tell)
  addEventListener('storage', tell)
  return () => {
    onSession.removeEventListener('change', tell)
    removeEventListener('storage', tell)
  }
}

export interface PageContext {
  readonly t: Texts
  readonly language: Language
  /** Whoever is signed in; pages are shown to them alone. */
  readonly me: Session['user']
  /** Says something in the line for messages. */
  readonly say: (message: string) => void
  /** Does something and returns its result; says what went wrong, and returns null then. */
  readonly attempt: <Result>(work: () => Promise<Result>) => Promise<Result | null>
}

export const Context = createContext<PageContext | null>(null)

export function usePage(): PageContext {
  const context = useContext(Context)
  if (context === null) throw new Error('outside of a page')
  return context
}

/** What to tell a person about a failure. */
export function describeProblem(error: unknown, t: Texts): string {
  if (error instanceof UnreachableError) return t.problems.unreachable ?? ''
  if (!(error instanceof ProblemError)) return t.problems.internal ?? ''
  return t.problems[error.code] ?? error.problem.detail ?? error.problem.title
}
