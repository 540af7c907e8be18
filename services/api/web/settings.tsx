import type { OpenSession, User } from '@sns/client'
import { signOut, sns, usePage } from './context'
import { Form } from './forms'
import { Languages } from './languages'
import { List, usePages } from './pages'
import { People } from './people'
import { Time } from './text'
import type { Language } from './texts'
import { useTitle } from './title'
import { forgetLists } from './visits'

export function Settings({
  onLanguage,
  onName,
}: {
  readonly onLanguage: (language: Language) => void
  readonly onName: (name: string) => void
}) {
  const { t, me, language, say } = usePage()
  useTitle(t.settings)
  return (
    <>
      <h1 tabIndex={-1}>{t.settings}</h1>
      <h2>{t.language}</h2>
      <Languages chosen={language} onChoose={onLanguage} />
      <h2>{t.account}</h2>
      <Form
        t={t}
        button={t.save}
        fields={[
          {
            name: 'displayName',
            label: t.displayName,
            autocomplete: 'name',
            value: me.displayName,
          },
        ]}
        send={async ({ displayName = '' }) => {
          onName((await sns.changeAccount({ displayName })).displayName)
          say(t.saved)
        }}
      />
      <h2>{t.changePassword}</h2>
      <Form
        t={t}
        button={t.changePassword}
        fields={[
          {
            name: 'currentPassword',
            label: t.currentPassword,
            type: 'password',
            autocomplete: 'current-password',
          },
          {
            name: 'password',
            label: t.newPassword,
            type: 'password',
            autocomplete: 'new-password',
            hint: t.passwordHint,
          },
        ]}
        send={async ({ currentPassword = '', password = '' }) => {
          await sns.changeAccount({ currentPassword, password })
          say(t.passwordChanged)
          await signOut()
        }}
      />
      <h2>{t.sessions}</h2>
      <Sessions />
      <h2>{t.blocks}</h2>
      <Relations list="blocks" />
      <h2>{t.mutes}</h2>
      <Relations list="mutes" />
      <h2>{t.deleteAccount}</h2>
      <p class="quiet">{t.deleteAccountHint}</p>
      <Form
        t={t}
        button={t.deleteAccount}
        isDangerous
        fields={[
          {
            name: 'password',
            label: t.password,
            type: 'password',
            autocomplete: 'current-password',
          },
        ]}
        send={async ({ password = '' }) => {
          await sns.deleteAccount({ password })
          await signOut()
        }}
      />
    </>
  )
}

function Sessions() {
  const { t, attempt } = usePage()
  const pages = usePages<OpenSession>('sessions', (page, signal) =>
    sns.listSessions(page, { signal }),
  )
  async function end({ id }: OpenSession) {
    const done = await attempt(async () => {
      await sns.endSession({ id })
      return true
    })
    if (done) pages.update((items) => items.filter((each) => each.id !== id))
  }
  return (
    <List
      pages={pages}
      empty={t.nobody}
      label={t.sessions}
      show={(session) => (
        <div class="person">
          <span>
            {t.started} <Time at={session.createdAt} /> · {t.lastUsed}{' '}
            <Time at={session.lastUsedAt} />
          </span>
          {session.current ? (
            <span class="badge">{t.thisSession}</span>
          ) : (
            <button type="button" onClick={() => end(session)}>
              {t.end}
            </button>
          )}
        </div>
      )}
    />
  )
}

function Relations({ list }: { readonly list: 'blocks' | 'mutes' }) {
  const { t, me, attempt } = usePage()
  const read = list === 'blocks' ? sns.listBlocks : sns.listMutes
  const undo = list === 'blocks' ? sns.unblockUser : sns.unmuteUser
  const pages = usePages<User>(list, (page, signal) => read(page, { signal }))
  async function lift({ username, id }: User) {
    const done = await attempt(async () => {
      await undo({ username })
      return true
    })
    if (!done) return
    forgetLists(me.id)
    pages.update((items) => items.filter((each) => each.id !== id))
  }
  return (
    <People
      pages={pages}
      empty={t.nobody}
      label={t[list]}
      action={(user) => (
        <button type="button" onClick={() => lift(user)}>
          {list === 'blocks' ? t.unblock : t.unmute}
        </button>
      )}
    />
  )
}
