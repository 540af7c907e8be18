const UTF8 = new TextEncoder()
/** What may wait for a client that reads slowly. */
const BUFFER_BYTES = 64 * 1024
/** How long a client waits before it comes back, in milliseconds. */
const RETRY_MS = 3_000
const HEARTBEAT = UTF8.encode(':\n\n')

/** One client that listens, as a body of `text/event-stream`. */
export interface EventStream {
  readonly body: ReadableStream<Uint8Array>
  /** False where the client has not read enough to be sent more, or the stream is closed. */
  hasRoom(): boolean
  /** Does nothing once it is closed. To be called where there is room. */
  send(event: { readonly name: string; readonly id: string; readonly data: unknown }): void
  /** Closes the stream where the client read nothing since the beat before last: it is let go, and comes back. */
  beat(): void
  close(): void
}

/**
 * The stream begins with `id`, so that one that breaks before its first event is gone on with too. `onClose` is called
 * once, whoever closed: the client, `close`, or a beat.
 */
export function createEventStream(id: string, onClose: () => void): EventStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null
  let unreadBeats = 0
  const ended = () => {
    if (controller === null) return
    controller = null
    onClose()
  }
  const body = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
        given.enqueue(UTF8.encode(`retry: ${RETRY_MS}\nid: ${id}\n\n`))
      },
      cancel: ended,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: BUFFER_BYTES }),
  )

  function close() {
    const open = controller
    ended()
    open?.close()
  }

  return {
    body,
    hasRoom: () => (controller?.desiredSize ?? 0) > 0,
    send: ({ name, id, data }) =>
      controller?.enqueue(
        UTF8.encode(`event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`),
      ),
    beat() {
      if (controller === null) return
      const isRead = controller.desiredSize === BUFFER_BYTES
      unreadBeats = isRead ? 0 : unreadBeats + 1
      if (unreadBeats > 1) close()
      else controller.enqueue(HEARTBEAT)
    },
    close,
  }
}
