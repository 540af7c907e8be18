const WHITE = /[ \t\n\r\f]+/g

/** A text as it grows, line by line: white space collapses, and breaks that nothing follows are not written. */
export interface TextLines {
  /** Words; white space at their ends keeps them apart from others. */
  words(text: string): void
  /** A text with its own white space and line ends. */
  verbatim(text: string): void
  /** Ends the line, at least so many times, where one was begun. */
  end(lines: number): void
  /** Ends the line once more. */
  breakLine(): void
  /** What each line from the next on begins with. */
  prefix(text: string): void
  /** What the next line begins with after its prefix. */
  mark(text: string): void
  text(): string
}

export function createTextLines(): TextLines {
  const parts: string[] = []
  let [ends, prefix, mark] = [0, '', '']
  let isLineBegun = false
  let isSpaced = false

  function begin(): void {
    if (ends > 0 && parts.length > 0) {
      parts.push('\n'.repeat(ends))
      isLineBegun = false
    }
    if (!isLineBegun) parts.push(prefix, mark)
    else if (isSpaced) parts.push(' ')
    if (!isLineBegun) mark = ''
    isLineBegun = true
    isSpaced = false
    ends = 0
  }

  return {
    words(text) {
      const collapsed = text.replace(WHITE, ' ')
      isSpaced ||= collapsed.startsWith(' ')
      const words = collapsed.slice(collapsed.startsWith(' ') ? 1 : 0)
      if (words === '') return
      begin()
      isSpaced = words.endsWith(' ')
      parts.push(isSpaced ? words.slice(0, -1) : words)
    },
    verbatim(text) {
      for (const [at, line] of text.split(/\r\n?|\n/).entries()) {
        if (at > 0) ends += 1
        if (line === '') continue
        begin()
        parts.push(line)
      }
    },
    end(lines) {
      ends = Math.max(ends, lines)
      isSpaced = false
    },
    breakLine() {
      ends += 1
      isSpaced = false
    },
    prefix(text) {
      prefix = text
    },
    mark(text) {
      mark = text
    },
    text: () => parts.join('').replaceAll('\u00a0', ' '),
  }
}
