/** Reads an event's bytes in order. Throws a `RangeError` behind its end. */
export class ByteCursor {
  constructor(
    readonly bytes: Buffer,
    public at: number,
    readonly end: number,
  ) {}

  get isAtEnd(): boolean {
    return this.at >= this.end
  }

  /** Moves on by so many bytes; where they begin. */
  take(length: number): number {
    const { at } = this
    this.at = at + length
    if (this.at > this.end) throw new RangeError('an event of the binlog is cut off')
    return at
  }

  slice(length: number): Buffer {
    const from = this.take(length)
    return this.bytes.subarray(from, from + length)
  }

  /** An unsigned integer of one to six bytes, the lowest first. */
  unsigned(length: number): number {
    return this.bytes.readUIntLE(this.take(length), length)
  }

  /** One to six bytes, the highest first, as times and decimals are kept. */
  unsignedBigEndian(length: number): number {
    return this.bytes.readUIntBE(this.take(length), length)
  }

  /** MySQL's packed integer: one byte up to 250, else a byte that says how many follow. */
  packed(): number {
    const first = this.unsigned(1)
    if (first <= 250) return first
    if (first === 252) return this.unsigned(2)
    if (first === 253) return this.unsigned(3)
    return Number(this.bytes.readBigUInt64LE(this.take(8)))
  }

  /** A length, packed, and so many bytes. */
  block(): Buffer {
    return this.slice(this.packed())
  }
}
