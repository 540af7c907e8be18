import type { Mutation } from './mutation'

const WRITES = 'shared/src/adapters/sql/notification-writes'
const STORE = 'shared/src/adapters/sql/notification-store'
const DERIVED = 'services/fanout-worker/src/derived-tables'
const CLIENT = 'client/src/client.test.ts'

/** Of what tells people what concerns them, and of the client. */
export const LIVE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'live: a like that was taken back is still told',
    file: `${STORE}.ts`,
    find: "eb.and([isKind('like'), like])",
    replace: "isKind('like')",
    tests: [`${STORE}.test.ts`],
  },
  {
    name: 'live: somebody blocked is told of',
    file: `${STORE}.ts`,
    find: "    .where(notBlockedEitherWay(recipient, sql.ref('n.actor_id')))\n",
    replace: '',
    tests: [`${STORE}.test.ts`],
  },
  {
    name: 'live: what was read is unread again',
    file: `${STORE}.ts`,
    find: 'if (compareKeys(until, keyOf(mark)) <= 0) return true',
    replace: '',
    tests: [`${STORE}.test.ts`],
  },
  {
    name: 'live: what went within a batch is told all the same',
    file: `${DERIVED}.ts`,
    find: "  if (gone.recipient === 'author') added.delete(subject)\n  else added.get(subject)?.delete(nameOf(gone))\n",
    replace: '',
    tests: [`${DERIVED}.test.ts`],
  },
  {
    name: 'live: what went and came within a batch is forgotten',
    file: `${DERIVED}.ts`,
    find: `      if (removed.size > 0) await forget([...removed.values()])
      if (added.size > 0) await tell([...added.values()].flatMap((same) => [...same.values()]))`,
    replace: `      if (added.size > 0) await tell([...added.values()].flatMap((same) => [...same.values()]))
      if (removed.size > 0) await forget([...removed.values()])`,
    tests: [`${DERIVED}.test.ts`],
  },
  {
    name: 'live: whom an edit names no longer is told for ever',
    file: `${DERIVED}.ts`,
    find: 'if (!named.includes(name)) remove(',
    replace: 'if (name === "") remove(',
    tests: [`${DERIVED}.test.ts`],
  },
  {
    name: 'live: an import rings every bell',
    file: `${DERIVED}.ts`,
    find: 'isLate: age > LATE_MS',
    replace: 'isLate: false',
    tests: [`${DERIVED}.test.ts`],
  },
  {
    name: 'live: a notification takes its place by the clock',
    file: `${WRITES}.ts`,
    find: 'const newest = Math.max(mark.newest, now, row.at) + 1',
    replace: 'const newest = Math.max(now, row.at) + 1',
    tests: [`${STORE}.test.ts`],
  },
  {
    name: 'live: one can mark as read what does not exist yet',
    file: `${STORE}.ts`,
    find: ' && noticedAt <= Math.abs(row.noticed_at)',
    replace: '',
    tests: [`${STORE}.test.ts`],
  },
  {
    name: 'live: each follow after an unfollow notifies',
    file: `${WRITES}.ts`,
    find: 'row.at - old.at >= NEWS_AGAIN_MS',
    replace: 'old.noticed_at < 0',
    tests: [`${DERIVED}.test.ts`],
  },
  {
    name: 'live: a follow after an unfollow never notifies again',
    file: `${WRITES}.ts`,
    find: 'row.at - old.at >= NEWS_AGAIN_MS',
    replace: 'false',
    tests: [`${DERIVED}.test.ts`],
  },
  {
    name: 'live: one late notification marks others as read',
    file: `${WRITES}.ts`,
    find: 'if (mark.newest > mark.noticed_at) return',
    replace: 'if (mark.newest < 0) return',
    tests: [`${STORE}.test.ts`],
  },
  {
    name: 'live: a count looks through what was late',
    file: `${WRITES}.ts`,
    find: 'if (mark.newest > mark.noticed_at) return',
    replace: 'if (mark.newest >= 0) return',
    tests: [`${STORE}.server.test.ts`],
  },
  {
    name: 'live: a count looks through what was read',
    file: `${STORE}.ts`,
    find: 'selectShown(db, recipient, mark?.noticedAt ?? FIRST)',
    replace: 'selectShown(db, recipient, FIRST)',
    tests: [`${STORE}.server.test.ts`],
  },
  {
    name: 'live: a tag finds posts that have it no longer',
    file: 'services/api/src/modules/tags/routes.ts',
    find: 'belongs: (post) => hasTag(post, key),',
    replace: 'belongs: () => hasTag !== null,',
    tests: ['services/api/src/modules/tags/tags.test.ts'],
  },
  {
    name: 'client: each call refreshes the session for itself',
    file: 'client/src/session.ts',
    find: 'const result = last.then(work, work)',
    replace: 'const result = work()',
    tests: [CLIENT],
  },
  {
    name: 'client: a session is forgotten where nobody answers its refresh',
    file: 'client/src/client.ts',
    find: 'if (!isOver) throw error',
    replace: '',
    tests: [CLIENT],
  },
  {
    name: 'client: a change is sent again although it may be made',
    file: 'client/src/request.ts',
    find: 'const isRepeatable = REPEATABLE.includes(method) || idempotencyKey !== undefined',
    replace: 'const isRepeatable = true',
    tests: [CLIENT],
  },
]
