import { connect, isIP, type Socket } from 'node:net'
import { connect as connectEncrypted } from 'node:tls'
import type { ISocketFactoryArgs } from 'kafkajs'
import type { PemFile } from '../../config/pem-file'

/** How connections are encrypted; `ca` null: the certificates are checked against the system's authorities. */
export interface KafkaTls {
  readonly ca: PemFile | null
}

export interface KafkaSocketOptions {
  readonly tls: KafkaTls | null
  /** How long it may take until the first request can be sent. */
  readonly timeoutMs: number
  /** Told of a broker that ended the connection after one answer: it knows the protocol, and not who asks. */
  readonly onEarlyEnd?: () => void
  /** Where to connect instead; the certificate is still that of the host asked for. */
  readonly route?: (host: string, port: number) => { readonly host: string; readonly port: number }
}

/** Codes of the errors that end a socket to a port which is not what the settings say. */
export const SOCKET_CODES = {
  demandsTls: 'KAFKA_DEMANDS_TLS',
  noHandshake: 'KAFKA_NO_TLS_HANDSHAKE',
} as const

const KEEP_ALIVE_MS = 30_000

/** The first byte of an alert in TLS. A broker's answer begins with its length, which has a zero there. */
const TLS_ALERT = 0x15

/** Connects to a broker; a certificate must be of the host that was asked for. */
export function openKafkaSocket(
  { host, port, onConnect }: Pick<ISocketFactoryArgs, 'host' | 'port' | 'onConnect'>,
  { tls, timeoutMs, onEarlyEnd, route }: KafkaSocketOptions,
): Socket {
  const to = route?.(host, port) ?? { host, port }
  const late = setTimeout(() => {
    const message = `no ${tls ? 'TLS handshake' : 'connection'} within ${timeoutMs} ms`
    socket.destroy(tls ? coded(SOCKET_CODES.noHandshake, message) : new Error(message))
  }, timeoutMs)
  const opened = () => {
    clearTimeout(late)
    onConnect()
  }
  const socket = tls
    ? connectEncrypted(
        {
          ...to,
          ...(isIP(host) === 0 && { servername: host }),
          ...(tls.ca && { ca: tls.ca.pem }),
        },
        opened,
      )
    : connect(to, opened)
  socket.once('close', () => clearTimeout(late))

  let answers = 0
  const look = (data: Buffer) => {
    answers += 1
    if (answers > 1) socket.off('data', look)
    else if (!tls && data[0] === TLS_ALERT) {
      socket.destroy(coded(SOCKET_CODES.demandsTls, 'the broker answered in TLS'))
    }
  }
  socket.on('data', look)
  socket.once('end', () => {
    if (answers === 1) onEarlyEnd?.()
  })
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  socket.setNoDelay(true)
  return socket
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
