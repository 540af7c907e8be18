import type { Mutation } from './mutation'

const RECORDER = 'services/fanout-worker/src/delivery-recorder.ts'
const RECORDED = ['services/fanout-worker/src/delivery-recorder.test.ts']
const WAITING = 'services/api/src/memory/waiting-posts.ts'
const FEED = 'services/api/src/modules/feed/feed.ts'
const MERGED = ['services/api/src/modules/feed/waiting-posts.test.ts']

/** Of feeds that do not wait for a broken pipeline. */
export const DELIVERY_MUTATIONS: readonly Mutation[] = [
  {
    name: 'delivery: the time is recorded before anything is delivered',
    file: RECORDER,
    find: '!mark || !(await hasFinished(mark))',
    replace: '!mark',
    tests: RECORDED,
  },
  {
    name: 'delivery: capture counts as having everything',
    file: RECORDER,
    find: 'captured ?? (end.size > 0 ? now : null)',
    replace: 'now',
    tests: RECORDED,
  },
  {
    name: 'delivery: nothing is merged',
    file: FEED,
    find: 'late === null ? lists : [...lists, waitingOf(late, isSeen)]',
    replace: 'lists',
    tests: MERGED,
  },
  {
    name: 'delivery: merging ends while something that was shown may be missing',
    file: WAITING,
    find: '(oldest === null || delivered > waiting.readAt + SKEW_MS)',
    replace: 'lagMs <= BEHIND_MS',
    tests: MERGED,
  },
  {
    name: 'delivery: a list that was cut counts as whole',
    file: WAITING,
    find: 'posts.length < max ? 0 : (posts.at(-1)?.id ?? 0)',
    replace: '0',
    tests: MERGED,
  },
  {
    name: 'delivery: what waits is looked at after the window',
    file: FEED,
    find: 'await listsBeside(authors, mergedAuthors, late)',
    replace: 'await listsBeside(authors, mergedAuthors, late && waiting.current())',
    tests: MERGED,
  },
  {
    name: 'delivery: quiet counts as a stall',
    file: WAITING,
    find: 'const since = oldest === null ? null : Math.max(delivered, idTime(oldest))',
    replace: 'const since = delivered + 0 * idTime(oldest ?? 0)',
    tests: MERGED,
  },
]
