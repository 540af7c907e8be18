import type { Address } from '../config/program-settings'
import { OperatorError } from '../errors/operator-error'

/** The part of an Elysia app that listening needs. */
export interface ListeningApp {
  listen(options: {
    hostname: string
    port: number
    reusePort: boolean
    development: boolean
  }): unknown
  /** Resolves when requests in flight are answered; at once, cutting them off, if told so. */
  stop(closeActiveConnections?: boolean): Promise<unknown>
  readonly server: { readonly port?: number | undefined } | null
}

export interface HttpListener extends AsyncDisposable {
  /** Where a client on this machine reaches it. */
  readonly url: string
}

/**
 * Starts answering. Disposing stops taking connections, waits `graceMs` for requests in flight and cuts
 * off what is left. Throws an `OperatorError` naming the setting where the address cannot be had.
 */
export function listen(
  app: ListeningApp,
  { host, port, portSetting, isShared = false }: Address,
  { graceMs = 5_000 }: { readonly graceMs?: number } = {},
): HttpListener {
  try {
    // With reusePort two programs would silently share the port; in development Bun answers what an
    // app failed to handle with a page of its source code.
    app.listen({ hostname: host, port, reusePort: isShared, development: false })
  } catch (error) {
    throw refusal(error, { host, port, portSetting })
  }
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  return {
    url: `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${app.server?.port ?? port}`,
    async [Symbol.asyncDispose]() {
      const cutOff = setTimeout(() => void app.stop(true), graceMs)
      await app.stop()
      clearTimeout(cutOff)
    },
  }
}

/** Throws the `OperatorError` that `listen` would, where something else listens there already. */
export function assertFree(address: Address): void {
  const { host, port } = address
  try {
    void Bun.serve({ hostname: host, port, reusePort: false, fetch: () => new Response() }).stop(
      true,
    )
  } catch (error) {
    throw refusal(error, address)
  }
}

function refusal(error: unknown, { host, port, portSetting }: Address): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const options = { cause: error }
  switch (code) {
    case 'EADDRINUSE':
      return new OperatorError(
        `port ${port} on ${host} is in use: stop what listens there or choose another ${portSetting}`,
        1,
        options,
      )
    case 'EACCES':
    case 'EPERM':
      return new OperatorError(
        `port ${port} needs rights that this process lacks: choose a ${portSetting} above 1023`,
        1,
        options,
      )
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
    case 'EAFNOSUPPORT':
      return new OperatorError(
        `WEB_HOST is "${host}", which is no address of this machine: 127.0.0.1 is for this machine alone, 0.0.0.0 for all its networks`,
        2,
        options,
      )
    default:
      return error
  }
}
