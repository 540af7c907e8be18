import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandEnvironment } from '@sns/shared/config/environment'
import { eventually } from '@sns/shared/testing/eventually'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { freePort } from '../scripts/process/program-process'

const ops = join(import.meta.dir, '../ops')

export const NGINX_FILE = join(ops, 'nginx/sns.conf')
export const CADDY_FILE = join(ops, 'caddy/Caddyfile')
export const COMPOSE_CADDY_FILE = join(ops, 'caddy/compose.Caddyfile')

/** A proxy as `ops/` configures it, before two apis on this machine. */
export interface Proxy extends AsyncDisposable {
  readonly url: string
  /** What an operator does before an api is restarted, and with null when both are back. */
  leaveOut(port: number | null): Promise<void>
}

export interface ProxyProgram {
  readonly name: string
  /** Null where this machine has none. */
  readonly binary: string | null
  /** Starts it before the apis on these two ports, and waits until it answers. */
  start(ports: readonly [number, number]): Promise<Proxy>
}

export const nginx: ProxyProgram = {
  name: 'nginx',
  binary: find('nginx'),
  async start(ports) {
    await using opened = new AsyncDisposableStack()
    const folder = opened.use(await temporaryFolder()).path
    const port = freePort()
    const { command } = await layOutNginx(folder, { port, httpPort: freePort(), ports })
    const url = `https://127.0.0.1:${port}`
    const process = opened.use(await run([...command, '-g', 'daemon off;'], { url }))
    const file = join(folder, 'sns.conf')
    const all = readFileSync(file, 'utf8')
    const resources = opened.move()
    return {
      url,
      async leaveOut(gone) {
        const server = `server 127.0.0.1:${gone} `
        writeFileSync(file, gone === null ? all : replace(all, server, `${server}down `))
        process.reload()
      },
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    }
  },
}

export const caddy: ProxyProgram = {
  name: 'Caddy',
  binary: find('caddy'),
  async start(ports) {
    await using opened = new AsyncDisposableStack()
    const folder = opened.use(await temporaryFolder()).path
    const url = `http://127.0.0.1:${freePort()}`
    const file = join(folder, 'Caddyfile')
    const text = onPorts(readFileSync(CADDY_FILE, 'utf8'), ports)
    // A test must not request certificates.
    writeFileSync(file, replace(replace(text, 'sns.example.org', url), '{\n', '{\n\tadmin off\n'))
    const command = [caddy.binary ?? '', 'run', '--config', file, '--adapter', 'caddyfile']
    opened.use(await run(command, { url, env: { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder } }))
    const resources = opened.move()
    return {
      url,
      // It asks /readyz itself.
      async leaveOut() {},
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    }
  },
}

/** A name server for one name, which has the addresses that `addresses` has at the time. */
async function nameServer(addresses: () => readonly string[]) {
  return await Bun.udpSocket({
    hostname: '127.0.0.1',
    socket: {
      data(socket, query, port, address) {
        const end = query.indexOf(0, 12) + 5
        const isForIpv4 = query.readUInt16BE(end - 4) === 1
        const answers = (isForIpv4 ? addresses() : []).map((each) =>
          // The name of the question, type A, class IN, lives 0 s, four bytes.
          Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...each.split('.').map(Number)]),
        )
        const head = Buffer.from([0x81, 0x80, 0, 1, 0, answers.length, 0, 0, 0, 0])
        const reply = [query.subarray(0, 2), head, query.subarray(12, end), ...answers]
        socket.send(Buffer.concat(reply), port, address)
      },
    },
  })
}

/** Caddy as compose runs it, before what listens at `port` of `addresses`, trusting `subnet`. */
export async function startComposeProxy(
  port: number,
  subnet: string,
  addresses: () => readonly string[] = () => ['127.0.0.1'],
): Promise<AsyncDisposable & { readonly url: string }> {
  await using opened = new AsyncDisposableStack()
  const folder = opened.use(await temporaryFolder()).path
  const own = freePort()
  const file = join(folder, 'Caddyfile')
  let text = replace(readFileSync(COMPOSE_CADDY_FILE, 'utf8'), 'name api', 'name api.example')
  const names = await nameServer(addresses)
  opened.defer(() => names.close())
  text = replace(text, 'port 8000', `port ${port}\nresolvers udp/127.0.0.1:${names.port}`)
  writeFileSync(file, replace(text, ':8000 {', `http://127.0.0.1:${own} {`))
  const command = [caddy.binary ?? '', 'run', '--config', file, '--adapter', 'caddyfile']
  const env = { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, SUBNET: subnet }
  const url = `http://127.0.0.1:${own}`
  opened.use(await run(command, { url, env }))
  const resources = opened.move()
  return { url, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

export interface NginxPorts {
  readonly port: number
  readonly httpPort: number
  readonly ports: readonly [number, number]
}

/** Writes the shipped file with these ports and a certificate of its own, and what nginx needs around it. */
export async function layOutNginx(
  folder: string,
  { port, httpPort, ports }: NginxPorts,
): Promise<{ readonly command: readonly string[] }> {
  const [certificate, key] = [join(folder, 'fullchain.pem'), join(folder, 'privkey.pem')]
  const subject = ['-subj', '/CN=sns.example.org', '-days', '2']
  const making = Bun.spawn(
    ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject].concat([
      ...['-keyout', key, '-out', certificate],
    ]),
    { stdout: 'ignore', stderr: 'ignore' },
  )
  if ((await making.exited) !== 0) throw new Error('openssl made no certificate')
  let text = onPorts(readFileSync(NGINX_FILE, 'utf8'), ports)
  text = replace(text, '/etc/ssl/sns/fullchain.pem', certificate)
  text = replace(text, '/etc/ssl/sns/privkey.pem', key)
  text = replace(text, 'listen 80;', `listen 127.0.0.1:${httpPort};`)
  text = replace(text, 'listen 443 ', `listen 127.0.0.1:${port} `)
  writeFileSync(join(folder, 'sns.conf'), text)

  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => {
    mkdirSync(join(folder, name))
    return `${name}_temp_path ${join(folder, name)};`
  })
  const main = join(folder, 'nginx.conf')
  writeFileSync(
    main,
    `${process.getuid?.() === 0 ? 'user root;' : ''}
     pid ${join(folder, 'nginx.pid')};
     worker_processes 1;
     events {}
     http {
       access_log off;
       ${temporary.join('\n')}
       include ${join(folder, 'sns.conf')};
     }`,
  )
  return { command: [nginx.binary ?? '', '-e', join(folder, 'error.log'), '-c', main] }
}

/** On the PATH, or in Debian's folders for root's programs. */
function find(name: string): string | null {
  const beside = `/usr/sbin/${name}`
  return Bun.which(name) ?? (existsSync(beside) ? beside : null)
}

function onPorts(text: string, [first, second]: readonly [number, number]): string {
  return replace(
    replace(text, '127.0.0.1:8000', `127.0.0.1:${first}`),
    '127.0.0.1:8010',
    `127.0.0.1:${second}`,
  )
}

function replace(text: string, what: string, by: string): string {
  if (!text.includes(what)) throw new Error(`there is no "${what}" in it`)
  return text.replace(what, () => by)
}

async function run(
  command: readonly string[],
  { url, env = {} }: { readonly url: string; readonly env?: Readonly<Record<string, string>> },
): Promise<AsyncDisposable & { reload(): void }> {
  const child = Bun.spawn([...command], {
    env: { ...commandEnvironment(), ...env },
    stdout: 'ignore',
    stderr: 'ignore',
  })
  const stop = async () => {
    child.kill('SIGTERM')
    await child.exited
  }
  try {
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`${command[0]} exited with ${child.exitCode}`)
      return (await fetch(url, { tls: { rejectUnauthorized: false } })).status > 0
    })
  } catch (error) {
    await stop()
    throw error
  }
  return { reload: () => child.kill('SIGHUP'), [Symbol.asyncDispose]: stop }
}
