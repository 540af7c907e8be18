import type { Replicas } from './replicas'

/** How belief ends at a process in the midst of a page; `mend` comes after the page. */
export interface Interruption {
  readonly end: (api: Replicas, at: number) => void
  readonly mend: (api: Replicas, at: number) => void
}

export const INTERRUPTIONS = {
  'the lease runs out': {
    end: ({ channel }, at) => channel.lapse(at),
    mend: ({ channel }, at) => channel.renew(at),
  },
  'the connection is cut': {
    end: ({ channel }, at) => channel.cut(at),
    mend: ({ channel }, at) => channel.connect(at),
  },
  'another run of the server is found': {
    end: ({ channel }, at) => channel.startAnew(at),
    mend() {},
  },
  'the lease runs out and is there again': {
    end({ channel }, at) {
      channel.lapse(at)
      queueMicrotask(() => channel.renew(at))
    },
    mend() {},
  },
} satisfies Readonly<Record<string, Interruption>>

/**
 * Does something after so many turns of the queue of promises, in the midst of what processes do for these requests;
 * false: all had answered before.
 */
export async function interrupt(
  answers: readonly Promise<Response>[],
  turns: number,
  work: () => void,
): Promise<boolean> {
  let left = answers.length
  const done = () => {
    left -= 1
  }
  for (const answer of answers) answer.then(done, done)
  for (let turn = 0; turn < turns && left > 0; turn += 1) await null
  if (left === 0) return false
  work()
  return true
}
