/** An ENUM's text. Number 0 is what MySQL keeps of a text that it refused: the empty one. */
export function enumText(bytes: Buffer, choices: readonly string[]): string {
  const number = bytes.readUIntLE(0, bytes.length)
  return number === 0 ? '' : choiceOf(choices, number - 1)
}

/** A SET's members as MySQL joins them: a comma comes behind text only, so that an empty first member leaves none. */
export function setText(bytes: Buffer, choices: readonly string[]): string {
  let text = ''
  for (const [at, bits] of bytes.entries()) {
    for (let bit = 0; bit < 8; bit += 1) {
      if ((bits & (1 << bit)) === 0) continue
      const choice = choiceOf(choices, at * 8 + bit)
      text += text === '' ? choice : `,${choice}`
    }
  }
  return text
}

function choiceOf(choices: readonly string[], at: number): string {
  const choice = choices[at]
  if (choice === undefined) throw new TypeError(`its column has no value number ${at + 1}`)
  return choice
}
