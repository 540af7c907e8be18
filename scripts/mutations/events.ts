import type { Mutation } from './mutation'

const EVENTS = 'services/api/src/modules/events'
const LISTENERS = `${EVENTS}/listeners.ts`
const ROUTES = `${EVENTS}/routes.ts`
const STREAM_TESTS = [`${EVENTS}/listeners.test.ts`]
const HTTP_TESTS = [`${EVENTS}/events.test.ts`]
const WORKER = 'services/fanout-worker/src'

/** Of streams of events: their places, what they cost, and what they must tell. */
export const EVENT_MUTATIONS: readonly Mutation[] = [
  {
    name: 'events: hints that were missed are not made up for',
    file: LISTENERS,
    find: 'for (const listener of everybody()) listener.isBehind = true',
    replace: '',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: a lost Redis makes a look-up for every quiet stream, and another when it is back',
    file: LISTENERS,
    find: 'if (now !== null && now !== belief) {',
    replace: 'if (now !== belief) {',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: all streams are looked at in one tick when Redis is back',
    file: LISTENERS,
    find: '(listener.isBehind && isTurn(listener, CATCH_UP_TICKS))',
    replace: 'listener.isBehind',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: what is due is lost in a store’s outage',
    file: LISTENERS,
    find: '      listener.isBehind = true\n      if (!isSnsError',
    replace: '      if (!isSnsError',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: a stream outlives its session',
    file: LISTENERS,
    find: "if (isSnsError(err, 'unauthenticated')) return listener.stream.close()",
    replace: '',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: a post that is delivered during the first look is never told',
    file: LISTENERS,
    find: 'if (authors.size > 0) for (const listener of looking) listener.isPostDue = true',
    replace: '',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: one’s own post makes a look-up',
    file: LISTENERS,
    find: 'if (user === author) continue',
    replace: '',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: a hint looks through every stream',
    file: LISTENERS,
    find: 'for (const user of followed.readersOf(author)) {',
    replace: 'for (const user of byUser.keys()) {',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: whose posts concern whom takes any memory',
    file: `${EVENTS}/followed-authors.ts`,
    find: 'if (bytes + authors.size * (FOLLOW_BYTES + AUTHOR_BYTES) > maxBytes) return false',
    replace: '',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: whoever found no room hears of posts after minutes',
    file: LISTENERS,
    find: 'listener.isUnindexed ? UNINDEXED_LOOK_MS : LOOK_AGAIN_MS',
    replace: 'LOOK_AGAIN_MS',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: no heartbeat',
    file: LISTENERS,
    find: 'if (isTurn(listener, BEAT_TICKS)) listener.stream.beat()',
    replace: '',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: a client that does not read keeps its place',
    file: `${EVENTS}/event-stream.ts`,
    find: 'if (unreadBeats > 1) close()',
    replace: 'if (unreadBeats < 0) close()',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: what does not fit waits in memory',
    file: LISTENERS,
    find: '      if (!listener.stream.hasRoom()) {\n        listener.isNotificationDue = true\n        return\n      }\n',
    replace: '',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: after many notifications the rest is never told',
    file: LISTENERS,
    find: 'if (newest !== undefined && next !== null) {',
    replace: 'if (newest === undefined) {',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: places are checked first and taken later',
    file: `${EVENTS}/stream-places.ts`,
    find: '      add(1)\n',
    replace: '      queueMicrotask(() => add(1))\n',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: a place is kept where the look-up fails',
    file: LISTENERS,
    find: '        leave()\n        throw error',
    replace: '        throw error',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: one address takes all places',
    file: `${EVENTS}/stream-places.ts`,
    find: 'if ((byAddress.get(address) ?? 0) >= maxByAddress) {',
    replace: 'if (maxByAddress < 0) {',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: a stream begins although the process is about to stop',
    file: LISTENERS,
    find: "        if (leaving.aborted) throw new SnsError('store_unavailable', LEAVING)\n        const stream",
    replace: '        const stream',
    tests: STREAM_TESTS,
  },
  {
    name: 'events: a client that left before its answer keeps its place',
    file: LISTENERS,
    find: 'if (signal.aborted) stream.close()',
    replace: "if (address === '') stream.close()",
    tests: STREAM_TESTS,
  },
  {
    name: 'events: HEAD takes a place',
    file: ROUTES,
    find: "if (request.method === 'HEAD') return new Response(null) as Response & string",
    replace: '',
    tests: HTTP_TESTS,
  },
  {
    name: 'events: proxies may hold events back',
    file: ROUTES,
    find: "set.headers['x-accel-buffering'] = 'no'",
    replace: '',
    tests: HTTP_TESTS,
  },
  {
    name: 'events: `after` goes before the last event',
    file: ROUTES,
    find: 'if (last !== undefined) return',
    replace: 'if (last !== undefined && after === undefined) return',
    tests: HTTP_TESTS,
  },
  {
    name: 'events: one’s own posts are counted',
    file: 'services/api/src/modules/feed/feed.ts',
    find: 'shown.filter(({ piece }) => piece.authorId !== grant.userId)',
    replace: 'shown',
    tests: HTTP_TESTS,
  },
  {
    name: 'events: a hint comes before its delivery',
    file: `${WORKER}/fan-out.ts`,
    find: '    await fanOut.deliver(created, signal)\n',
    replace:
      '    const delivering = fanOut.deliver(created, signal)\n    await using _ = { [Symbol.asyncDispose]: () => delivering }\n',
    tests: [`${WORKER}/fan-out.test.ts`],
  },
  {
    name: 'events: a hint comes before its notification',
    file: `${WORKER}/derived-tables.ts`,
    find: "    const notified = await notifications.add(added)\n    await hints.hint(notified.map((user) => ({ kind: 'notified', user })))\n",
    replace:
      "    await hints.hint(added.map(({ recipient: user }) => ({ kind: 'notified', user })))\n    await notifications.add(added)\n",
    tests: [`${WORKER}/derived-tables.test.ts`],
  },
  {
    name: 'events: mentions are looked up one by one',
    file: `${WORKER}/derived-tables.ts`,
    find: '    const named = await users.findIdsByUsername(namesIn(told))\n',
    replace:
      '    const named = new Map<string, UserId>()\n    for (const name of namesIn(told)) for (const [key, id] of await users.findIdsByUsername([name])) named.set(key, id)\n',
    tests: [`${WORKER}/derived-tables.test.ts`],
  },
]
