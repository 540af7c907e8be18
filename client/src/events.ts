export interface RawEvent {
  readonly name: string
  readonly id: string
  readonly data: string
}

/**
 * The events of a `text/event-stream` until it ends. Rejects where nothing comes for `silenceMs`, heartbeats included.
 * As the HTML standard defines the format, but for what our api never sends: events without a name or an id. An id
 * alone, which says where to go on, comes as an event without a name.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  silenceMs: number,
): AsyncGenerator<RawEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await within(silenceMs, reader.read())
      if (done) return
      text += decoder.decode(value, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const event = parse(block)
        if (event) yield event
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

function parse(block: string): RawEvent | null {
  const fields = new Map<string, string>()
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trimStart())
  }
  const { event: name = '', id, data = '' } = Object.fromEntries(fields)
  return id ? { name, id, data } : null
}

function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the stream is silent')), ms)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
