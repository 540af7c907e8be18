import { constants, createZstdDecompress } from 'node:zlib'
import { OperatorError } from '@sns/shared/errors/operator-error'

/** Gives bytes in pieces, as they are asked for. */
export interface ByteReader {
  /** The next bytes into the target, from its start; how many they are: fewer only at the end. */
  read(target: Uint8Array): number
  close(): void
}

/** What is unpacked ahead of being asked for, at most. */
const STEP_BYTES = 64 * 1024

/** What Node's streams keep below them: a step of unpacking that is bounded on both sides, and no promise. */
interface Unpacking {
  writeSync(
    flush: number,
    from: Uint8Array,
    fromAt: number,
    fromLength: number,
    to: Uint8Array,
    toAt: number,
    toLength: number,
  ): void
  onerror: (message: string) => void
}

interface Stream {
  readonly _handle: Unpacking
  /** After a step: what is left of the room, and of what was given. */
  readonly _writeState: Uint32Array
}

/**
 * Unpacks a zstd frame step by step. Beside `packed` it holds one step and zstd's window, whatever comes out of it: the
 * library's whole-buffer call holds all of it, and its streams would hand packets over after the ones that follow them.
 * Throws a `RangeError` where the frame is damaged.
 */
export function createZstdReader(packed: Uint8Array): ByteReader {
  const stream = createZstdDecompress()
  if (!hasSteps(stream)) throw new OperatorError('this version of bun hides its zstd; use 1.4.5')
  const { _handle: handle, _writeState: state } = stream
  let problem: string | null = null
  handle.onerror = (message) => {
    problem = message
  }
  const step = new Uint8Array(STEP_BYTES)
  let [from, to] = [0, 0]
  let packedAt = 0

  /** False at the end. */
  function unpack(): boolean {
    const left = packed.length - packedAt
    handle.writeSync(constants.ZSTD_e_continue, packed, packedAt, left, step, 0, step.length)
    if (problem !== null) throw new RangeError(`a zstd frame cannot be unpacked: ${problem}`)
    const [room = 0, unread = 0] = state
    packedAt = packed.length - unread
    from = 0
    to = step.length - room
    return to > 0
  }

  return {
    read(target) {
      let at = 0
      while (at < target.length && (from < to || unpack())) {
        const piece = step.subarray(from, Math.min(to, from + target.length - at))
        target.set(piece, at)
        at += piece.length
        from += piece.length
      }
      return at
    },
    close: () => stream.close(),
  }
}

export function createPlainReader(bytes: Uint8Array): ByteReader {
  let from = 0
  return {
    read(target) {
      const piece = bytes.subarray(from, from + target.length)
      target.set(piece)
      from += piece.length
      return piece.length
    },
    close() {},
  }
}

function hasSteps(stream: object): stream is Stream {
  return (
    '_handle' in stream &&
    typeof stream._handle === 'object' &&
    stream._handle !== null &&
    'writeSync' in stream._handle &&
    '_writeState' in stream &&
    stream._writeState instanceof Uint32Array
  )
}
