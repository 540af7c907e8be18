import type { ArchivedNote } from './archived-post'
import { type Fields, list, record, text } from './json-fields'

/** A note of Misskey's export: plain text. `home` is what Mastodon calls unlisted; a local note never left its server. */
export function readNote(note: Fields): ArchivedNote | string {
  if (note.replyId) return 'replies'
  if (note.visibility !== 'public' || note.localOnly === true) return 'not public'
  const choices = list(record(note.poll).choices).map((each) => text(record(each).text ?? each))
  const files = Math.max(list(note.fileIds).length, list(note.files).length)
  const [said, warning] = [text(note.text), text(note.cw)]
  const isBare = said === '' && warning === '' && choices.length + files === 0
  if (note.renoteId && isBare) return 'boosts'
  return {
    noteId: text(note.id) || null,
    time: note.createdAt,
    text: said,
    warning,
    choices,
    targets: 0,
    media: files,
    quotes: note.renoteId ? 1 : 0,
  }
}
