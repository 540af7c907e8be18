import type { ServerEvent } from '@sns/client'
import { sns } from './context'

const NAME = 'sns.events'

/**
 * Hears events until `signal` aborts. One tab listens to the server and tells the others: a browser opens few
 * connections to one host. When that tab closes, another takes over.
 */
export function hearEvents(hear: (event: ServerEvent) => void, signal: AbortSignal): void {
  const channel = new BroadcastChannel(NAME)
  channel.onmessage = ({ data }: MessageEvent<ServerEvent>) => hear(data)
  signal.addEventListener('abort', () => channel.close())

  async function listen(): Promise<void> {
    for await (const event of sns.events({ signal })) {
      if (signal.aborted) return
      hear(event)
      channel.postMessage(event)
    }
  }
  // Locks are missing on pages that came without TLS from another machine.
  const listening = navigator.locks ? navigator.locks.request(NAME, { signal }, listen) : listen()
  listening.catch(() => {})
}
