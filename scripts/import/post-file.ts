import { POST_TEXT_MAX } from '@sns/shared/domain/post'
import { cleanText } from '@sns/shared/domain/text'
import type { BrokenLines } from './broken-lines'
import { readLines } from './line-reader'

/** The texts of JSON lines `{"text": …}`, cleaned as the api cleans them; other fields are ignored. */
export async function* readPosts(path: string, broken: BrokenLines): AsyncGenerator<string> {
  let line = 0
  for await (const json of readLines(path)) {
    line++
    if (json.trim() === '') continue
    const result = parsePost(json)
    if ('problem' in result) broken.add(path, line, result.problem)
    else yield result.text
  }
}

function parsePost(json: string): { text: string } | { problem: string } {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return { problem: 'not valid JSON' }
  }
  if (typeof value !== 'object' || value === null || !('text' in value)) {
    return { problem: 'no "text"' }
  }
  if (typeof value.text !== 'string') return { problem: '"text" is not a string' }
  const cleaned = cleanText(value.text, POST_TEXT_MAX)
  return cleaned.ok ? { text: cleaned.text } : { problem: `text is ${cleaned.problem}` }
}
