/** A server that takes connections and says nothing: whoever starts on it waits. */
export function startSilentServer(): Disposable & {
  readonly port: number
  readonly connections: () => number
} {
  let connections = 0
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open() {
        connections += 1
      },
      data() {},
    },
  })
  return {
    port: server.port,
    connections: () => connections,
    [Symbol.dispose]: () => server.stop(true),
  }
}
