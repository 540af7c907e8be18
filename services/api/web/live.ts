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

  async function listen(tell: (event: ServerEvent) => void): Promise<void> {
    for await (const event of sns.events({ signal })) {
      if (signal.aborted) return
      hear(event)
      tell(event)
    }
  }
  const listenForAll = () => listen((event) => channel.postMessage(event))
  // Locks are missing on pages that came without TLS from another machine: there each tab listens for itself.
  const listening = navigator.locks?.request(NAME, { signal }, listenForAll) ?? listen(() => {})
  listening.catch(() => {})
}
