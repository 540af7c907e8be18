import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A proxy between a client and a server, which a test can cut or stall. */
export interface TcpProxy extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** The given URL or `host:port`, with the proxy's address in place of the target's. */
  readonly url: string
  /** As when the server dies: ends every connection and refuses new ones until `resume`. */
  cut(): Promise<void>
  /** As when the server hangs: connections are accepted and stay open, nothing passes until `resume`. */
  stall(): void
  /**
   * Holds back what the open connections carry; new ones pass. What is returned lets it go, though the client
   * may have left long since, and resolves when the server has taken it.
   */
  hold(): () => Promise<void>
  /** Listens again and forwards the data it held back. */
  resume(): Promise<void>
  /** Where connections go from now on, as after a fail-over; those that are open stay. */
  leadTo(target: string): void
}

const HOST = '127.0.0.1'

/** `target` is a URL with host and port, or `host:port`. */
export async function createTcpProxy(target: string): Promise<TcpProxy> {
  const addressOf = (of: string) => new URL(of.includes('://') ? of : `tcp://${of}`)
  let address = addressOf(target)
  const links = new Set<Link>()
  let isStalled = false
  let server: Server | null = null
  let port = 0

  async function listen() {
    const listener = createServer((client) => {
      const upstream = connect(Number(address.port), address.hostname)
      const link = createLink(client, upstream, () => isStalled)
      links.add(link)
      for (const socket of [client, upstream]) {
        socket.once('close', () => {
          if (client.destroyed && upstream.destroyed) links.delete(link)
        })
      }
    })
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject)
      listener.listen(port, HOST, resolve)
    })
    port = (listener.address() as AddressInfo).port
    server = listener
  }

  async function cut() {
    const listener = server
    server = null
    for (const link of links) link.destroy()
    links.clear()
    if (listener) await new Promise((resolve) => listener.close(resolve))
  }

  await listen()
  const first = address.host
  const rest = target.slice(target.indexOf(first) + first.length)
  const start = target.slice(0, target.indexOf(first))
  return {
    host: HOST,
    port,
    url: `${start}${HOST}:${port}${rest}`,
    cut,
    leadTo(next) {
      address = addressOf(next)
    },
    stall() {
      isStalled = true
    },
    hold() {
      const held = [...links]
      for (const link of held) link.hold()
      return async () => void (await Promise.all(held.map((link) => link.letGo())))
    },
    async resume() {
      isStalled = false
      if (!server) await listen()
      for (const link of links) link.flush()
    },
    [Symbol.asyncDispose]: cut,
  }
}

interface Link {
  flush(): void
  hold(): void
  letGo(): Promise<void>
  destroy(): void
}

/** Held data is kept here, not left in the sockets: pausing those is not reliable everywhere. */
function createLink(client: Socket, upstream: Socket, isStalled: () => boolean): Link {
  const held: (() => void)[] = []
  let isHeld = false
  const closed = new Promise<void>((resolve) => upstream.once('close', () => resolve()))
  const pass = (step: () => void) => {
    if (isStalled() || isHeld) held.push(step)
    else step()
  }
  const flush = () => {
    if (!isHeld) for (const step of held.splice(0)) step()
  }
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.setNoDelay(true)
    from.on('data', (chunk) => pass(() => to.write(chunk)))
    from.on('end', () => pass(() => to.end()))
    from.on('close', () => pass(() => to.destroy()))
    from.on('error', () => {})
  }
  return {
    flush,
    hold() {
      isHeld = true
    },
    async letGo() {
      isHeld = false
      flush()
      if (client.destroyed) await closed
    },
    destroy() {
      client.destroy()
      upstream.destroy()
    },
  }
}
