import { randomKey } from '@sns/client'
import { readTab, tabKeys, writeTab } from './tab-storage'

const PREFIX = 'sns.draft.'

/** What somebody is writing. It belongs to a tab, and survives that they look elsewhere meanwhile. */
export interface Draft {
  readonly text: string
  /** Makes a repeat of a try that nobody answered write nothing twice. */
  readonly key: string
  /** The text that was tried to be sent under that key. */
  readonly tried: string | null
}

export function emptyDraft(text = ''): Draft {
  return { text, key: randomKey(), tried: null }
}

/** The draft to send: another text than the one that was tried is another post. */
export function tryDraft(draft: Draft): Draft {
  const tried = draft.text.trim()
  const isOther = draft.tried !== null && draft.tried !== tried
  return { ...draft, tried, key: isOther ? randomKey() : draft.key }
}

/** `name` says what is written: a post, or a comment on which. */
export function loadDraft(user: string, name: string): Draft | null {
  return readTab<Draft>(`${PREFIX}${user}.${name}`)
}

/** Null forgets it. */
export function saveDraft(user: string, name: string, draft: Draft | null): void {
  writeTab(`${PREFIX}${user}.${name}`, draft)
}

export function forgetDrafts(): void {
  for (const key of tabKeys(PREFIX)) writeTab(key, null)
}
