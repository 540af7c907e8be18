import { OperatorError } from '@sns/shared/errors/operator-error'

/** Runs Bun with `args`; throws an `OperatorError` that names what was to be built. */
export async function runTool(
  what: string,
  { cwd, signal }: { readonly cwd: string; readonly signal: AbortSignal },
  args: readonly string[],
): Promise<void> {
  const tool = Bun.spawn([process.execPath, ...args], {
    cwd,
    signal,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([
    new Response(tool.stdout).text(),
    new Response(tool.stderr).text(),
  ])
  if ((await tool.exited) === 0) return
  if (signal.aborted) throw new OperatorError(`${what} was not built: stopped`, 130)
  process.stderr.write(out + err)
  throw new OperatorError(`${what} could not be built; see above`)
}
