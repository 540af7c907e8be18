const UTF8 = new TextEncoder()
/** What may wait for a client that reads slowly; one that falls behind further is let go, and comes back. */
const BUFFER_BYTES = 64 * 1024
/** How long a client waits before it comes back, in milliseconds. */
const RETRY_MS = 3_000
const HEARTBEAT = UTF8.encode(':\n\n')

/** One client that listens, as a body of `text/event-stream`. */
export interface EventStream {
  readonly body: ReadableStream<Uint8Array>
  /** Does nothing once it is closed. */
  send(event: { readonly name: string; readonly id: string; readonly data: unknown }): void
  beat(): void
  close(): void
}

/**
 * The stream begins with `id`, so that one that breaks before its first event is gone on with too. `onClose` is called
 * once, whoever closed: the client, `close`, or too much that was not read.
 */
export function createEventStream(id: string, onClose: () => void): EventStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null
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

  function write(bytes: Uint8Array) {
    if (controller === null) return
    if ((controller.desiredSize ?? 0) <= 0) close()
    else controller.enqueue(bytes)
  }

  return {
    body,
    send: ({ name, id, data }) =>
      write(UTF8.encode(`event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`)),
    beat: () => write(HEARTBEAT),
    close,
  }
}
