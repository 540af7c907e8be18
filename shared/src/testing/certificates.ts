import { join } from 'node:path'
import { temporaryFolder } from './temporary-folder'

/** Files of an authority and of what it signed, all as PEM. */
export interface Certificates extends AsyncDisposable {
  readonly folder: string
  readonly ca: string
  /** Of a server on `localhost` and 127.0.0.1. */
  readonly cert: string
  readonly key: string
  /** Of another authority, which signed nothing here. */
  readonly otherCa: string
  /** Of a server elsewhere, signed by the same authority. */
  readonly elsewhereCert: string
  /** Of the same server, signed by the same authority, no longer valid. */
  readonly expiredCert: string
}

/** Such keys are made at once. */
const CURVE = 'ec_paramgen_curve:prime256v1'

/** Certificates for the servers of a test, made with openssl. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = await temporaryFolder()
  const file = (name: string) => join(folder.path, name)
  const openssl = (...args: string[]) => {
    const run = Bun.spawnSync(['openssl', ...args], { cwd: folder.path })
    if (run.exitCode !== 0) throw new Error(`openssl ${args[0]}: ${run.stderr}`)
  }
  const authority = (name: string) =>
    openssl(
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        CURVE,
        '-nodes',
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
      ],
      ...[
        '-addext',
        'keyUsage=critical,keyCertSign',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.pem`,
      ],
    )
  const sign = async (name: string, alternatives: string, days = 2) => {
    await Bun.write(file(`${name}.ext`), `subjectAltName=${alternatives}\n`)
    openssl(...['req', '-new', '-key', 'server.key', '-subj', `/CN=${name}`, '-out', `${name}.csr`])
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key'],
      ...[
        '-days',
        String(days),
        '-CAcreateserial',
        '-extfile',
        `${name}.ext`,
        '-out',
        `${name}.pem`,
      ],
    )
  }
  authority('ca')
  authority('other')
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', CURVE, '-out', 'server.key')
  await sign('server', 'DNS:localhost,IP:127.0.0.1')
  await sign('elsewhere', 'DNS:elsewhere.example')
  await sign('expired', 'DNS:localhost,IP:127.0.0.1', -1)
  return {
    folder: folder.path,
    ca: file('ca.pem'),
    cert: file('server.pem'),
    key: file('server.key'),
    otherCa: file('other.pem'),
    elsewhereCert: file('elsewhere.pem'),
    expiredCert: file('expired.pem'),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}
