import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { capturedTables } from '@sns/shared/events/tables'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { stack } from '@sns/shared/testing/stack'
import { freePort } from '../scripts/process/program-process'

/** What runs the peer, beside the checkout. */
export const debeziumScript = join(import.meta.dir, '../../shared/peers/debezium/debezium')
export const hasDebezium = hasAllTestServers && existsSync(debeziumScript)
/** On the servers of the stack. */
export const canRunDebezium = hasDebezium && stack !== null

if (hasAllTestServers && !canRunDebezium) {
  console.log(
    'SKIPPED: Debezium runs only where ../shared/peers/debezium stands beside the checkout',
  )
}

/** Debezium's connector on all captured tables, once it reads the binlog. */
export async function startDebezium(
  database: string,
  prefix: string,
  { script = debeziumScript }: { readonly script?: string } = {},
): Promise<AsyncDisposable> {
  const tables = capturedTables.join(`,${database}.`)
  const child = Bun.spawn([script, database, tables, prefix], {
    stdout: 'pipe',
    stderr: 'pipe',
    env: { ...process.env, REST_PORT: String(freePort()) },
  })
  let output = ''
  for await (const chunk of child.stdout) {
    output += new TextDecoder().decode(chunk)
    if (output.includes('debezium: streaming')) break
  }
  if (!output.includes('debezium: streaming')) {
    throw new Error(`Debezium did not start: ${output}${await new Response(child.stderr).text()}`)
  }
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await child.exited
    },
  }
}
