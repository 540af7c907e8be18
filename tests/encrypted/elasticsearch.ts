import type { Certificates } from '@sns/shared/testing/certificates'
import { testServers } from '@sns/shared/testing/servers'
import { type EncryptedServer, MIGRATE, WRONG_AUTHORITY, WRONG_PASSWORD } from './encrypted-server'

const KEY = 'b2RkOmtleQ=='
const ACCOUNT = { user: 'odd', password: 'p@ss:word' }

/** A door to the Elasticsearch of the tests that demands https, a path, and an API key or a password. */
export function startEncryptedElasticsearch({
  ca,
  otherCa,
  cert,
  elsewhereCert,
  expiredCert,
  key,
}: Certificates): EncryptedServer & AsyncDisposable & { readonly paths: readonly string[] } {
  const paths: string[] = []
  const credentials = `${ACCOUNT.user}:${ACCOUNT.password}`
  const accepted = [`ApiKey ${KEY}`, `Basic ${Buffer.from(credentials).toString('base64')}`]
  const serve = (shown: string) =>
    Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      tls: { cert: Bun.file(shown), key: Bun.file(key) },
      async fetch(request) {
        const { pathname, search } = new URL(request.url)
        paths.push(pathname)
        const headers = new Headers(request.headers)
        if (!accepted.includes(headers.get('authorization') ?? '')) {
          return Response.json({ error: 'no' }, { status: 401 })
        }
        headers.delete('authorization')
        const to = `${testServers.elasticsearch}${pathname.replace(/^\/es/, '')}${search}`
        const { method } = request
        const body = method === 'GET' || method === 'HEAD' ? null : await request.arrayBuffer()
        return fetch(to, { method, headers, body })
      },
    })
  const [server, elsewhere, expired] = [serve(cert), serve(elsewhereCert), serve(expiredCert)]
  const url = `https://127.0.0.1:${server.port}/es`
  const password = { ES_API_KEY: '', ES_ID: ACCOUNT.user, ES_PASSWORD: ACCOUNT.password }
  const notAccepted = /^ES_CA: the certificate of Elasticsearch at https:\S+ is not accepted/
  const refused = /^Elasticsearch at https:\S+ refuses our credentials: check ES_ID and ES_PASSWORD/
  const refusal = (
    what: string,
    settings: Readonly<Record<string, string>>,
    says: RegExp,
  ): EncryptedServer['refusals'][number] => ({ with: what, settings, programs: [MIGRATE], says })
  return {
    name: 'Elasticsearch',
    paths,
    // One node of the list is away.
    right: { ES_URL: `https://127.0.0.1:1/es,${url}`, ES_CA: ca, ES_API_KEY: KEY },
    alsoRight: {
      'a password': { ES_URL: url, ...password },
      'a password in the URL': {
        ES_URL: url.replace('//', `//${ACCOUNT.user}:${encodeURIComponent(ACCOUNT.password)}@`),
        ES_API_KEY: '',
      },
    },
    refusals: [
      refusal(WRONG_AUTHORITY, { ES_URL: url, ES_CA: otherCa }, notAccepted),
      refusal(WRONG_PASSWORD, { ES_URL: url, ...password, ES_PASSWORD: 'wrong' }, refused),
      refusal('the wrong API key', { ES_URL: url, ES_API_KEY: 'wrong' }, refused),
      refusal('no authority', { ES_URL: url, ES_CA: '' }, notAccepted),
      refusal(
        'a certificate of another host',
        { ES_URL: `https://127.0.0.1:${elsewhere.port}/es` },
        notAccepted,
      ),
      refusal(
        'a certificate that has expired',
        { ES_URL: `https://127.0.0.1:${expired.port}/es` },
        notAccepted,
      ),
    ],
    async [Symbol.asyncDispose]() {
      await Promise.all([server, elsewhere, expired].map((each) => each.stop(true)))
    },
  }
}
