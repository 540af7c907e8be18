import { expect, test } from 'bun:test'
import { connect, createServer, type Socket } from 'node:net'
import { eventually } from './eventually'
import { createTcpProxy } from './tcp-proxy'

test('passes both ways, and gives the URL with its own address', async () => {
  await using echo = await createEcho()
  await using proxy = await createTcpProxy(`redis://user:pass@127.0.0.1:${echo.port}/3`)
  expect(proxy.url).toBe(`redis://user:pass@127.0.0.1:${proxy.port}/3`)
  const client = open(proxy.port)
  client.socket.write('hello')
  await eventually(() => client.received() === 'hello')
  client.socket.destroy()
})

test('holds everything back while stalled and lets it through after', async () => {
  await using echo = await createEcho()
  await using proxy = await createTcpProxy(`127.0.0.1:${echo.port}`)
  const before = open(proxy.port)
  before.socket.write('a')
  await eventually(() => before.received() === 'a')
  proxy.stall()
  const during = open(proxy.port)
  await eventually(() => during.isOpen())
  before.socket.write('b')
  during.socket.write('c')
  // What is sent past the proxy comes back meanwhile, so these would have too.
  const past = open(echo.port)
  past.socket.write('d')
  await eventually(() => past.received() === 'd')
  expect([before.received(), during.received()]).toEqual(['a', ''])
  await proxy.resume()
  await eventually(() => before.received() === 'ab' && during.received() === 'c')
  for (const client of [before, during, past]) client.socket.destroy()
})

test('ends connections and refuses new ones when cut, until it resumes on the same port', async () => {
  await using echo = await createEcho()
  await using proxy = await createTcpProxy(`127.0.0.1:${echo.port}`)
  const { port } = proxy
  const before = open(port)
  await eventually(() => before.isOpen())
  await proxy.cut()
  await eventually(() => before.isClosed())
  const during = open(port)
  await eventually(() => during.isClosed())
  expect(during.isOpen()).toBe(false)
  await proxy.resume()
  expect(proxy.port).toBe(port)
  const after = open(port)
  after.socket.write('x')
  await eventually(() => after.received() === 'x')
  after.socket.destroy()
})

function open(port: number) {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  let [isOpen, isClosed] = [false, false]
  socket.on('connect', () => {
    isOpen = true
  })
  socket.on('data', (chunk) => {
    text += chunk
  })
  socket.on('close', () => {
    isClosed = true
  })
  socket.on('error', () => {})
  return { socket, received: () => text, isOpen: () => isOpen, isClosed: () => isClosed }
}

async function createEcho() {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk) => socket.write(chunk))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
