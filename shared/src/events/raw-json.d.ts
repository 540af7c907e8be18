/** Digits that `JSON.stringify` writes as they are (ECMAScript 2026). */
interface RawJSON {
  readonly rawJSON: string
}

interface JSON {
  rawJSON(text: string): RawJSON
  isRawJSON(value: unknown): value is RawJSON
}
