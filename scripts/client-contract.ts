import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OpenApiDocument, renderContract } from './client/render-contract'
import { freePort, spawnProgram } from './process/program-process'

const root = join(import.meta.dir, '..')
export const CONTRACT_FILE = join(root, 'client/src/contract.ts')

/** Writes the client's types anew from the document of a suite that it starts; `format` sets the lines. */
async function writeContract(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sns-contract-'))
  const port = freePort()
  const url = `http://127.0.0.1:${port}`
  try {
    await using program = spawnProgram('start', [], {
      DATABASE_URL: `sqlite:${folder}/sns.db`,
      WEB_PORT: String(port),
    })
    await program.ready(url)
    const document = (await (await fetch(`${url}/swagger/json`)).json()) as OpenApiDocument
    await Bun.write(CONTRACT_FILE, renderContract(document))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (import.meta.main) await writeContract()
