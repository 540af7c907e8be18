import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, type ProgramProcess, spawnProgram } from '../../scripts/process/program-process'

const chromium = Bun.which('chromium') ?? Bun.which('google-chrome')
const validator = Bun.which('openapi-spec-validator')
if (!chromium) console.log('SKIPPED: no Chromium on the PATH to render /swagger in')
if (!validator) console.log('SKIPPED: no openapi-spec-validator on the PATH (a PyPI package)')

describe('the docs page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sns-swagger-'))
  const port = freePort()
  const url = `http://127.0.0.1:${port}`
  let program: ProgramProcess

  beforeAll(async () => {
    program = spawnProgram('start', [], {
      DATABASE_URL: `sqlite:${folder}/sns.db`,
      WEB_PORT: String(port),
    })
    await program.ready(url)
  })
  afterAll(async () => {
    await program[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  test('names no other host, so that it needs no internet', async () => {
    const page = await (await fetch(`${url}/swagger`)).text()
    const sources = [...page.matchAll(/(?:src|href)="([^"]+)"/g)]
      .map(([, source]) => source ?? '')
      .filter((source) => !source.startsWith('data:'))
    expect(sources.length).toBeGreaterThan(1)
    for (const source of sources) {
      expect(source).toStartWith('/')
      expect((await fetch(url + source)).status).toBe(200)
    }
  })

  test.skipIf(!chromium)(
    'renders every operation in a real browser',
    async () => {
      const browser = Bun.spawn(
        [
          chromium ?? '',
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          '--disable-quic',
          '--no-first-run',
          '--disable-background-networking',
          '--disable-component-update',
          '--disable-sync',
          // Other machines cannot be reached.
          '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
          `--user-data-dir=${folder}/chromium`,
          '--virtual-time-budget=15000',
          '--dump-dom',
          `${url}/swagger`,
        ],
        { stdout: 'pipe', stderr: 'ignore' },
      )
      const dom = await new Response(browser.stdout).text()
      const document = (await (await fetch(`${url}/swagger/json`)).json()) as {
        paths: Record<string, Record<string, unknown>>
      }
      const operations = Object.values(document.paths).flatMap((path) => Object.keys(path))
      expect(operations.length).toBeGreaterThan(30)
      expect(dom.match(/class="opblock opblock-/g)).toHaveLength(operations.length)
    },
    300_000,
  )

  test.skipIf(!validator)(
    'the document passes openapi-spec-validator',
    async () => {
      const file = join(folder, 'openapi.json')
      await Bun.write(file, await (await fetch(`${url}/swagger/json`)).text())
      const run = Bun.spawnSync([validator ?? '', file])
      expect(run.stdout.toString() + run.stderr.toString()).toContain('OK')
      expect(run.exitCode).toBe(0)
    },
    300_000,
  )
})
