import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'
import type { MemoryReport } from '@sns/shared/runtime/status-app'
import { createProgress, type Progress } from '../progress'

const SHOWN = 20
/** A process that says nothing for so long is given up: between two batches it waits 3 s at most. */
const SILENCE_MS = 30_000

/**
 * Asks each api, at its operators' port, to compare what it keeps with the database. Errors: `OperatorError`
 * (1) where something differs or a process cannot be asked or believes nothing, (130) when stopped.
 */
export async function verifyMemories(
  urls: readonly string[],
  { sample, token, signal }: Omit<Asked, 'progress'>,
): Promise<void> {
  const progress = createProgress('entries')
  let differing = 0
  try {
    for (const url of urls) differing += await verifyOne(url, { sample, token, signal, progress })
  } finally {
    progress.stop()
  }
  if (differing > 0) {
    throw new OperatorError(
      'an api keeps what the database does not hold: restart it, and report this as a defect',
      1,
    )
  }
}

interface Asked {
  readonly sample: number
  /** `OPERATOR_TOKEN`, where the apis have one. */
  readonly token: string | null
  readonly signal: AbortSignal
  readonly progress: Progress
}

async function verifyOne(url: string, { progress, ...asked }: Asked): Promise<number> {
  let differing = 0
  let last: MemoryReport | null = null
  try {
    for await (const report of reports(url, asked)) {
      if (!report.isBelieved) {
        throw new OperatorError(
          `${url} uses nothing of what it keeps now, and answers from SQL: is its Redis there? Try again`,
          1,
        )
      }
      for (const name of report.differing) {
        differing += 1
        if (differing <= SHOWN) console.log(`${url}: ${name} is not what the database holds`)
      }
      progress.update(`memory of ${url}`, report.checked, report.of)
      last = report
    }
  } catch (error) {
    if (asked.signal.aborted) throw new OperatorError('stopped', 130)
    if (error instanceof OperatorError) throw error
    throw new OperatorError(`${url} cannot be asked: ${asError(error).message}`, 1, {
      cause: error,
    })
  }
  if (!last || last.checked < last.of) {
    throw new OperatorError(`${url} ended before everything was compared; try again`, 1)
  }
  console.log(`${url}: ${last.of.toLocaleString('en')} entries compared, ${differing} differ`)
  return differing
}

async function* reports(
  url: string,
  { sample, token, signal }: Omit<Asked, 'progress'>,
): AsyncGenerator<MemoryReport> {
  const query = Number.isFinite(sample) ? `?sample=${sample}` : ''
  const silence = new AbortController()
  const giveUp = () => silence.abort(new Error('it fell silent'))
  let timer = setTimeout(giveUp, SILENCE_MS)
  try {
    const answer = await fetch(new URL(`/memory/verify${query}`, url), {
      method: 'POST',
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.any([signal, silence.signal]),
    })
    if (answer.status === 401 || answer.status === 403) {
      throw new OperatorError(`${url} refused: ${(await answer.text()).trim()}`, 1)
    }
    if (!answer.ok || !answer.body) {
      throw new OperatorError(
        `${url} answered ${answer.status}: --memory needs the operators' port of an api (METRICS_PORT)`,
        1,
      )
    }
    let rest = ''
    const text = new TextDecoder()
    for await (const chunk of answer.body) {
      clearTimeout(timer)
      timer = setTimeout(giveUp, SILENCE_MS)
      const parts = (rest + text.decode(chunk, { stream: true })).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) yield JSON.parse(line)
    }
  } finally {
    clearTimeout(timer)
  }
}
