import { ProblemError, type Session, type Signup, UnreachableError } from '@sns/client'
import { useState } from 'preact/hooks'
import { sns } from './context'
import { Form } from './forms'
import { Languages } from './languages'
import type { Language, Texts } from './texts'
import { useTitle } from './title'

/** The sign-up that nobody answered. */
let unanswered: Signup | null = null

/** Where a sign-up is repeated that nobody answered, its account may be there: then it is signed in to. */
async function signUp(signup: Signup): Promise<Session> {
  const { username, password } = signup
  const isRepeated = unanswered?.username === username && unanswered.password === password
  try {
    return await sns.signUp(signup)
  } catch (error) {
    if (error instanceof UnreachableError) unanswered = signup
    const isTaken = error instanceof ProblemError && error.code === 'username_taken'
    if (!isTaken || !isRepeated) throw error
    return sns.logIn({ username, password })
  }
}

export function SignIn({
  t,
  language,
  onLanguage,
}: {
  readonly t: Texts
  readonly language: Language
  readonly onLanguage: (language: Language) => void
}) {
  const [isNew, setNew] = useState(false)
  useTitle(isNew ? t.signUp : t.signIn)
  const username = { name: 'username', label: t.username, autocomplete: 'username' }
  const password = { name: 'password', label: t.password, type: 'password' as const }
  return (
    <main id="main">
      <h1>sns</h1>
      <p class="quiet">{t.about}</p>
      {isNew ? (
        <Form
          key="up"
          t={t}
          button={t.signUp}
          fields={[
            { ...username, hint: t.usernameHint },
            {
              name: 'displayName',
              label: `${t.displayName} (${t.optional})`,
              autocomplete: 'name',
              isRequired: false,
            },
            { ...password, autocomplete: 'new-password', hint: t.passwordHint },
          ]}
          send={({ username = '', password = '', displayName = '' }) =>
            signUp({ username, password, ...(displayName ? { displayName } : {}) })
          }
        />
      ) : (
        <Form
          key="in"
          t={t}
          button={t.signIn}
          fields={[username, { ...password, autocomplete: 'current-password' }]}
          send={({ username = '', password = '' }) => sns.logIn({ username, password })}
        />
      )}
      <p>
        <button type="button" class="link" onClick={() => setNew(!isNew)}>
          {isNew ? t.haveAccount : t.newHere}
        </button>
      </p>
      <Languages chosen={language} onChoose={onLanguage} />
    </main>
  )
}
