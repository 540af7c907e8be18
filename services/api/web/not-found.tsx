import { Link } from './router'
import type { Texts } from './texts'
import { useTitle } from './title'

/** Where an address leads nowhere. */
export function NotFound({ t }: { readonly t: Texts }) {
  useTitle(t.notFound)
  return (
    <>
      <h1 tabIndex={-1}>{t.notFound}</h1>
      <p>{t.notFoundHint}</p>
      <p>
        <Link to="/">{t.home}</Link>
      </p>
    </>
  )
}
