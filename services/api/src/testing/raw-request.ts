import { connect } from 'node:net'

export interface RawRequest {
  readonly method: string
  /** As it goes over the wire, with its query; bytes that no client would send too. */
  readonly target: string
  /** Repeated ones too. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: Buffer | null
}

/** The bytes of a request, made ahead of sending so that making them is not measured with the answer. */
export function requestBytes({ method, target, headers = [], body = null }: RawRequest): Buffer {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'host: localhost',
    'connection: close',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(body === null ? [] : [`content-length: ${body.length}`]),
  ]
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8')
  return body === null ? head : Buffer.concat([head, body])
}

/** Sends bytes and gives the status of the answer, once it is complete (a stream: has begun); 0 where there is none. */
export function sendBytes(url: string, bytes: Buffer): Promise<number> {
  const { hostname, port } = new URL(url)
  const { promise, resolve } = Promise.withResolvers<number>()
  const socket = connect({ host: hostname, port: Number(port) })
  let head = ''
  const end = () => {
    socket.destroy()
    resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0))
  }
  socket.on('data', (chunk: Buffer) => {
    if (head.length < 2_000) head += chunk.toString('latin1')
    if (/^content-type: text\/event-stream/im.test(head)) end()
  })
  socket.on('close', end)
  socket.on('error', end)
  socket.write(bytes)
  return promise
}
