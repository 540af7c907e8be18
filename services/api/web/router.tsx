import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** Goes to a page of this site without loading it anew. */
export function navigate(path: string): void {
  history.pushState(null, '', path)
  dispatchEvent(new PopStateEvent('popstate'))
}

/** The address of the page, as it changes. */
export function useAddress(): URL {
  const [href, setHref] = useState(location.href)
  useEffect(() => {
    const changed = () => setHref(location.href)
    addEventListener('popstate', changed)
    return () => removeEventListener('popstate', changed)
  }, [])
  return new URL(href)
}

interface LinkProps {
  readonly to: string
  readonly children: ComponentChildren
  readonly class?: string
  readonly label?: string
}

export function Link({ to, children, class: name, label }: LinkProps) {
  const isHere = location.pathname + location.search === to
  return (
    <a
      href={to}
      class={name}
      aria-label={label}
      aria-current={isHere ? 'page' : undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        navigate(to)
      }}
    >
      {children}
    </a>
  )
}
