import { LANGUAGES, type Language } from './texts'

const NAMES: Readonly<Record<Language, string>> = { en: 'English', ko: '한국어' }

/** A button for each language, in that language. */
export function Languages({
  chosen,
  onChoose,
}: {
  readonly chosen: Language
  readonly onChoose: (language: Language) => void
}) {
  return (
    <div class="row">
      {(Object.keys(LANGUAGES) as Language[]).map((each) => (
        <button
          type="button"
          key={each}
          lang={each}
          aria-pressed={each === chosen}
          onClick={() => onChoose(each)}
        >
          {NAMES[each]}
        </button>
      ))}
    </div>
  )
}
