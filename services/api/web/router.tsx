import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { currentVisit, visit } from './visits'

/** Where one is: an address, and which entry of the history shows it. */
export interface Address {
  readonly url: URL
  readonly visit: string
  /** How often the browser showed the whole page again as it was left, from its memory. */
  readonly returns: number
}

const changes = new EventTarget()
let returns = 0

addEventListener('popstate', () => {
  visit(null)
  changes.dispatchEvent(new Event('change'))
})

addEventListener('pageshow', ({ persisted }) => {
  if (!persisted) return
  returns += 1
  changes.dispatchEvent(new Event('change'))
})

/** Goes to a page of this site without loading it anew. */
export function navigate(path: string): void {
  visit(path)
  changes.dispatchEvent(new Event('change'))
}

const here = (): Address => ({ url: new URL(location.href), visit: currentVisit(), returns })

/** Where one is, as it changes. */
export function useAddress(): Address {
  const [address, setAddress] = useState(here)
  useEffect(() => {
    const changed = () => setAddress(here())
    changes.addEventListener('change', changed)
    return () => changes.removeEventListener('change', changed)
  }, [])
  return address
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
