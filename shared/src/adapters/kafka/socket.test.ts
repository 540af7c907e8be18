import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { type Certificates, makeCertificates } from '../../testing/certificates'
import { type KafkaSocketOptions, openKafkaSocket, SOCKET_CODES } from './socket'

const opened = new AsyncDisposableStack()
let certificates: Certificates
beforeAll(async () => {
  certificates = opened.use(await makeCertificates())
})
afterAll(() => opened.disposeAsync())

const authority = (path: string) => ({ ca: { path, pem: readFileSync(path, 'utf8') } })

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.defer(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** What becomes of a connection that says something as soon as it can. */
function outcome(
  port: number,
  options: Partial<KafkaSocketOptions> = {},
  host = '127.0.0.1',
): Promise<string> {
  return new Promise((resolve) => {
    const socket = openKafkaSocket(
      { host, port, onConnect: () => socket.write('a request') },
      { tls: null, timeoutMs: 5_000, ...options },
    )
    socket.on('data', (data: Buffer) => data[0] === 0 && resolve('answered'))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.on('close', () => resolve('closed'))
    opened.defer(() => void socket.destroy())
  })
}

const answers = (socket: Socket | TLSSocket) =>
  socket.on('error', () => {}).on('data', () => socket.write(Buffer.from([0, 0, 0, 1, 7])))

describe('encrypted', () => {
  let port: number
  const names: string[] = []
  beforeAll(async () => {
    const { cert, key } = certificates
    const server = createTlsServer(
      { cert: readFileSync(cert), key: readFileSync(key) },
      (socket) => {
        names.push(String(socket.servername))
        answers(socket)
      },
    )
    port = await listen(server)
  })

  test('the certificate is checked against the authority, and is of the host that was asked for', async () => {
    const right = authority(certificates.ca)
    expect(await outcome(port, { tls: right })).toBe('answered')
    expect(await outcome(port, { tls: right }, 'localhost')).toBe('answered')
    expect(names.at(-1)).toBe('localhost')
    const route = () => ({ host: '127.0.0.1', port })
    expect(await outcome(1, { tls: right, route }, 'localhost')).toBe('answered')
    expect(await outcome(1, { tls: right, route }, 'elsewhere.example')).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    )
  })

  test.each([
    ['another', () => authority(certificates.otherCa)],
    ['no', () => ({ ca: null })],
  ])('%s authority is not enough', async (_, tls) => {
    expect(await outcome(port, { tls: tls() })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })
})

test('a port that answers in TLS ends a connection in the clear at once', async () => {
  const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, 80])
  const port = await listen(createServer((socket) => socket.on('data', () => socket.write(alert))))
  expect(await outcome(port)).toBe(SOCKET_CODES.demandsTls)
})

test('a port that is silent in TLS is given up', async () => {
  const port = await listen(createServer(() => {}))
  const tls = authority(certificates.ca)
  expect(await outcome(port, { tls, timeoutMs: 50 })).toBe(SOCKET_CODES.noHandshake)
})

test.each([
  [0, 0],
  [1, 1],
  [2, 0],
])('an end after %p answers is told %p times', async (count, times) => {
  const port = await listen(
    createServer((socket) => {
      let sent = 0
      const next = () => {
        if (sent === count) socket.end()
        else socket.write(Buffer.from([1, sent++]))
      }
      socket.on('data', next)
    }),
  )
  let told = 0
  const done = Promise.withResolvers<void>()
  const socket = openKafkaSocket(
    { host: '127.0.0.1', port, onConnect: () => socket.write('a request') },
    {
      tls: null,
      timeoutMs: 5_000,
      onEarlyEnd() {
        told += 1
      },
    },
  )
  socket.on('data', () => socket.write('the next'))
  socket.on('close', () => done.resolve())
  await done.promise
  expect(told).toBe(times)
})
