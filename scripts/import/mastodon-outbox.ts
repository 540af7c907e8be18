import type { ArchivedNote } from './archived-post'
import { type HtmlMention, htmlText } from './html-text'
import { type Fields, list, record, text } from './json-fields'

const PUBLIC: readonly unknown[] = [
  'https://www.w3.org/ns/activitystreams#Public',
  'as:Public',
  'Public',
]
/** No post of 2,000 characters has so much HTML: what is longer is not parsed. */
const HTML_MAX = 64_000

/** An activity of Mastodon's `outbox.json`: `Create` with a note or a poll, whose content is HTML. */
export function readActivity(activity: Fields): ArchivedNote | string {
  if (activity.type !== 'Create') return 'boosts'
  const note = record(activity.object)
  if (note.inReplyTo !== null && note.inReplyTo !== undefined) return 'replies'
  // Unlisted posts have the public in `cc`.
  if (!list(note.to ?? activity.to).some((each) => PUBLIC.includes(each))) return 'not public'
  const html = text(note.content)
  if (html.length > HTML_MAX) return 'too long'
  const content = htmlText(html, mentionNames(note))
  return {
    noteId: text(note.id) || text(activity.id) || null,
    time: note.published ?? activity.published,
    text: content.text,
    targets: content.targets,
    warning: text(note.summary),
    choices: [...list(note.oneOf), ...list(note.anyOf)].map((each) => text(record(each).name)),
    media: list(note.attachment).length,
    quotes: note.quote || note.quoteUrl ? 1 : 0,
  }
}

/** Writes whom a note mentions with their server. */
function mentionNames(note: Fields): (mention: HtmlMention) => string {
  const tags = list(note.tag)
    .map(record)
    .filter(({ type }) => type === 'Mention')
  const names = new Map(tags.map(({ href, name }) => [href, text(name)]))
  return ({ href, label }) => {
    const name = names.get(href) || label
    if (/^@[^@]+@/.test(name) || !URL.canParse(href)) return name
    return `${name.startsWith('@') ? '' : '@'}${name}@${new URL(href).host}`
  }
}
