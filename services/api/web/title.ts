import { useEffect } from 'preact/hooks'

let [place, unread] = ['', 0]

function show(): void {
  const name = place === '' ? 'sns' : `${place} · sns`
  document.title = unread > 0 ? `(${unread}) ${name}` : name
}

/** Says in the title where one is. */
export function useTitle(text: string): void {
  useEffect(() => {
    place = text
    show()
  }, [text])
}

/** Says in the title how much was not read yet. */
export function useUnreadTitle(count: number): void {
  useEffect(() => {
    unread = count
    show()
    return () => {
      unread = 0
      show()
    }
  }, [count])
}
