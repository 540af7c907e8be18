import type { Socket } from 'bun'

export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

/**
 * One keep-alive HTTP/1.1 connection for load: writes a request, hands over the answer, nothing else.
 * It exists because a general client costs more per request than the server that is measured. Answers
 * need a Content-Length.
 */
export interface HttpConnection {
  get(path: string, token: string): Promise<HttpAnswer>
  close(): void
}

export async function openHttpConnection(hostname: string, port: number): Promise<HttpConnection> {
  let waiting: PromiseWithResolvers<HttpAnswer> | null = null
  let received = Buffer.alloc(0)

  function fail(reason: string): void {
    waiting?.reject(new Error(reason))
    waiting = null
  }

  const socket: Socket = await Bun.connect({
    hostname,
    port,
    socket: {
      data(_, chunk) {
        received = received.length === 0 ? Buffer.from(chunk) : Buffer.concat([received, chunk])
        const headEnd = received.indexOf('\r\n\r\n')
        if (headEnd < 0) return
        const head = received.toString('latin1', 0, headEnd)
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN)
        if (Number.isNaN(length)) return fail(`no Content-Length in: ${head}`)
        const end = headEnd + 4 + length
        if (received.length < end) return
        const answer = {
          status: Number(head.slice(9, 12)),
          body: received.toString('utf8', headEnd + 4, end),
        }
        received = Buffer.from(received.subarray(end))
        const done = waiting
        waiting = null
        done?.resolve(answer)
      },
      close: () => fail('the server closed the connection'),
      error: (_, error) => fail(error.message),
    },
  })

  return {
    get(path, token) {
      if (waiting) throw new Error('one request at a time')
      waiting = Promise.withResolvers<HttpAnswer>()
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      )
      return waiting.promise
    },
    close: () => socket.end(),
  }
}
