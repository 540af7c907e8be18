import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { usePage } from './context'

/** Shows the beginning of what is long, and a button for the rest. */
export function Folded({ children }: { readonly children: ComponentChildren }) {
  const { t } = usePage()
  const box = useRef<HTMLDivElement>(null)
  const [isLong, setLong] = useState(false)
  const [isOpen, setOpen] = useState(false)
  useLayoutEffect(() => {
    const folded = box.current
    if (folded && !isOpen) setLong(folded.scrollHeight > folded.clientHeight + 1)
  })
  return (
    <>
      <div
        ref={box}
        class={isOpen ? undefined : 'folded'}
        // A link that has the focus must be seen.
        onFocusIn={() => isLong && setOpen(true)}
      >
        {children}
      </div>
      {isLong && (
        <button type="button" class="link" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? t.showLess : t.showAll}
        </button>
      )}
    </>
  )
}
