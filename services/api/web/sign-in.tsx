import { useState } from 'preact/hooks'
import { sns } from './context'
import { Form } from './forms'
import { Languages } from './languages'
import type { Language, Texts } from './texts'

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
            sns.signUp({ username, password, ...(displayName ? { displayName } : {}) })
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
