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
import { forgetDrafts } from './drafts'
import type { Language, Texts } from './texts'
import { forgetVisits } from './visits'

/** Told when somebody signed in or out in this tab. */
const onSession = new EventTarget()

export const sns: Client = createClient({
  session: browserSession(),
  onSession: (session) => {
    if (session === null) forgetVisits()
    onSession.dispatchEvent(new Event('change'))
  },
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

const signedOut = new BroadcastChannel('sns.signed-out')

/** What one wrote and saw is gone from every tab; a session that merely ended leaves drafts to who signs in again. */
function forget(): void {
  forgetDrafts()
  forgetVisits()
}
signedOut.onmessage = forget

/** Signs out, whether or not the server can be reached. */
export async function signOut(): Promise<void> {
  forget()
  signedOut.postMessage(null)
  await sns.signOut().catch(() => {})
}

export interface PageContext {
  readonly t: Texts
  readonly language: Language
  /** Whoever is signed in; pages are shown to them alone. */
  readonly me: Session['user']
  /** Which entry of the history is shown. */
  readonly visit: string
  /** Grows where what is shown may be old: it is read again. */
  readonly returns: number
  /** Says something in the line for messages. */
  readonly say: (message: string) => void
  /** Does something and returns its result; says what went wrong, and returns null then. */
  readonly attempt: <Result>(work: () => Promise<Result>) => Promise<Result | null>
  /** Begins something that may succeed; what is returned takes back what went wrong before it began. */
  readonly begin: () => () => void
}

export const Context = createContext<PageContext | null>(null)

export function usePage(): PageContext {
  const context = useContext(Context)
  if (context === null) throw new Error('outside of a page')
  return context
}

/** What to tell a person about a failure. */
export function describeProblem(error: unknown, t: Texts): string {
  if (error instanceof UnreachableError) return t.problems.unreachable
  if (!(error instanceof ProblemError)) return t.problems.internal
  const [wrong] = error.fields
  return (wrong && t.wrong[wrong.field]) ?? t.problems[error.code] ?? t.problems.internal
}

/** Whether what was asked for is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof ProblemError && error.code === 'not_found'
}
