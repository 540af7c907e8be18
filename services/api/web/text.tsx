import type { Post } from '@sns/client'
import type { ComponentChildren } from 'preact'
import { usePage } from './context'
import { Link } from './router'

/** A text with what it names as links. Places count code points. */
export function Text({ text, entities }: Pick<Post, 'text' | 'entities'>) {
  const points = Array.from(text)
  const parts: ComponentChildren[] = []
  let at = 0
  for (const entity of entities) {
    parts.push(points.slice(at, entity.start).join(''))
    const named = points.slice(entity.start, entity.end).join('')
    parts.push(<Named entity={entity}>{named}</Named>)
    at = entity.end
  }
  parts.push(points.slice(at).join(''))
  return (
    <p class="text" dir="auto">
      {parts}
    </p>
  )
}

interface NamedProps {
  readonly entity: Post['entities'][number]
  readonly children: string
}

/** What a text names, as a link; of a kind that this page does not know, as text. */
function Named({ entity, children }: NamedProps) {
  switch (entity.type) {
    case 'mention':
      return <Link to={`/users/${entity.username}`}>{children}</Link>
    case 'hashtag':
      return <Link to={`/tags/${encodeURIComponent(entity.tag)}`}>{children}</Link>
    case 'link':
      return (
        <a href={entity.url} rel="nofollow noopener ugc" target="_blank">
          {children}
        </a>
      )
    default:
      return <>{children}</>
  }
}

/** The api's HTML, escaped but for its marks, as elements: nothing is put into the page as HTML. */
export function Highlight({ html }: { readonly html: string }) {
  const parts = html.split(/<mark>(.*?)<\/mark>/s)
  return (
    <p class="text" dir="auto">
      {parts.map((part, at) => {
        const text = part.replace(
          /&(amp|lt|gt|quot|#39);/g,
          (_, name: string) => ENTITY[name] ?? '',
        )
        return at % 2 === 1 ? <mark key={at}>{text}</mark> : text
      })}
    </p>
  )
}
const ENTITY: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
}

export function Time({ at }: { readonly at: string }) {
  const { language } = usePage()
  const date = new Date(at)
  const seconds = (date.getTime() - Date.now()) / 1_000
  const [unit, size] =
    UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? (['second', 1] as const)
  const words = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' })
  return (
    <time dateTime={at} title={date.toLocaleString(language)}>
      {words.format(Math.min(0, Math.round(seconds / size)), unit)}
    </time>
  )
}
const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const
