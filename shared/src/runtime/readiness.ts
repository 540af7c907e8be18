import { StoreHalted } from '../errors/store-halted'
import type { HealthCheck } from '../ports/health'

export interface Readiness {
  /** Whether everything that the service cannot work without is available. */
  readonly ready: boolean
  readonly stores: Readonly<Record<string, 'ok' | 'unavailable'>>
  /** Of what its operator must mend, what to do; absent where there is nothing. */
  readonly reasons?: Readonly<Record<string, string>>
}

interface ReadinessOptions {
  /** A check that takes longer counts as unavailable. */
  readonly timeoutMs?: number
  /** How long a result is reused, so that frequent probes cost the stores nothing. */
  readonly cacheMs?: number
  readonly now?: () => number
  /** Once it has aborted, nothing is ready, whatever the last result was. */
  readonly leaving?: AbortSignal
}

/** Asks all checks at once; callers who ask meanwhile, or soon after, share one answer. */
export function createReadiness(
  checks: readonly HealthCheck[],
  {
    timeoutMs = 2_000,
    cacheMs = 1_000,
    now = () => performance.now(),
    leaving,
  }: ReadinessOptions = {},
): () => Promise<Readiness> {
  let last: { readonly at: number; readonly answer: Promise<Readiness> } | null = null

  async function ask(): Promise<Readiness> {
    const states = await Promise.all(
      checks.map(async (check) => [check.name, await stateOf(check, timeoutMs)] as const),
    )
    const reasons = states.flatMap(([name, { reason }]) => (reason ? [[name, reason]] : []))
    return {
      ready: checks.every((check, i) => check.optional === true || states[i]?.[1].state === 'ok'),
      stores: Object.fromEntries(states.map(([name, { state }]) => [name, state])),
      ...(reasons.length > 0 && { reasons: Object.fromEntries(reasons) }),
    }
  }

  return async () => {
    if (last === null || now() - last.at >= cacheMs) last = { at: now(), answer: ask() }
    const answer = await last.answer
    return leaving?.aborted
      ? { ...answer, ready: false, stores: { ...answer.stores, process: 'unavailable' } }
      : answer
  }
}

interface State {
  readonly state: 'ok' | 'unavailable'
  readonly reason?: string
}

async function stateOf(check: HealthCheck, timeoutMs: number): Promise<State> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const tooLate = new Promise<State>((resolve) => {
    timer = setTimeout(() => resolve({ state: 'unavailable' }), timeoutMs)
  })
  const asked = (async () => check.check())().then(
    (): State => ({ state: 'ok' }),
    (error: unknown): State => ({
      state: 'unavailable',
      ...(error instanceof StoreHalted && { reason: error.message }),
    }),
  )
  const state = await Promise.race([asked, tooLate])
  clearTimeout(timer)
  return state
}

/** Marks a check as optional: the service works without it, more slowly. */
export function optionalCheck(check: HealthCheck): HealthCheck {
  return { name: check.name, optional: true, check: () => check.check() }
}
