import { findEntities } from '@sns/shared/domain/entities'
import { POST_TEXT_MAX } from '@sns/shared/domain/post'
import { cleanText, type TextProblem } from '@sns/shared/domain/text'
import { readTime, type TimeProblem } from './times'

/** A post as an archive has it: one that was public. */
export interface ArchivedNote {
  /** What its server calls it; null where the archive does not say. */
  readonly noteId: string | null
  readonly time: unknown
  readonly text: string
  /** Shown before the text, which waits for a click there. */
  readonly warning: string
  readonly choices: readonly string[]
  /** How many links have their target in the text. */
  readonly targets: number
  readonly media: number
  /** How many posts it quotes. */
  readonly quotes: number
}

/** A post that can be loaded. */
export interface ArchivedPost {
  readonly noteId: string | null
  readonly text: string
  /** Unix milliseconds. */
  readonly createdAt: number
}

const TEXT_REASONS: Readonly<Record<TextProblem, string>> = {
  blank: 'without a text',
  too_long: 'too long',
  control_character: 'with control characters',
  lone_surrogate: 'of broken Unicode',
  long_mark_run: 'with too many combining marks in a row',
}
const TIME_REASONS: Readonly<Record<TimeProblem, string>> = {
  'no date-time with a zone': 'without a time',
  'before 1970': 'from before 1970',
  'after tomorrow': 'from after tomorrow',
}

/** The post as it will be here, or why it stays behind. Until posts carry warnings, one stands before the text. */
export function archivedPost(note: ArchivedNote, now: number): ArchivedPost | string {
  const { noteId, text, warning, choices, time } = note
  const list = choices.map((choice) => `- ${choice}`).join('\n')
  const parts = [warning, text, list].map((part) => part.trim()).filter((part) => part !== '')
  const cleaned = cleanText(namingNobody(parts.join('\n\n')), POST_TEXT_MAX)
  if (!cleaned.ok) return TEXT_REASONS[cleaned.problem]
  const createdAt = readTime(time, now)
  if (typeof createdAt === 'string') return TIME_REASONS[createdAt]
  return { noteId, text: cleaned.text, createdAt }
}

/** An `@ada` that was of another server would name whoever is called so here: with a word joiner it looks the same. */
function namingNobody(text: string): string {
  const points = [...text]
  for (const entity of findEntities(text)) {
    if (entity.type === 'mention') points[entity.start] = '@\u2060'
  }
  return points.join('')
}
