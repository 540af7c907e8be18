import type { Mutation } from './mutation'

const CLUSTER = 'shared/src/adapters/redis/cluster.server.test.ts'
const REPLICAS = 'tests/embedded/replicas-property.test.ts'
const FEED = 'services/api/src/modules/feed'
const TIMELINES = 'shared/src/adapters/memory/timeline-store.test.ts'
const PIECES = 'services/api/src/memory/post-pieces.ts'
const COHERENT = 'services/api/src/memory/coherent-cache.ts'
const VIEWERS = 'services/api/src/memory/viewers.ts'
const FEED_READS = 'services/api/src/modules/feed/feed-reads.ts'
const PIPELINE = 'services/api/src/modules/feed/feed.ts'
const FRESHNESS = 'shared/src/adapters/redis/freshness.ts'
const HISTORIES = 'shared/src/adapters/redis/freshness-property.test.ts'
const SCRIPTED = 'shared/src/adapters/redis/freshness.test.ts'
const REDIS_TIMELINES = 'shared/src/adapters/redis/timeline-store.server.test.ts'
const MEMORY_TIMELINES = 'shared/src/adapters/memory/timeline-store.ts'

/** Of what makes feeds right: memory, timelines, freshness, lanes. */
export const FEED_MUTATIONS: readonly Mutation[] = [
  {
    name: 'a load that was overtaken is kept',
    file: COHERENT,
    find: 'if (inProgress.get(key) !== load || currentBelief() !== load.belief) return',
    replace: 'if (currentBelief() !== load.belief) return',
    tests: ['services/api/src/memory/coherent-cache.test.ts'],
  },
  {
    name: 'what was kept under another belief is used',
    file: COHERENT,
    find: 'store.clear()\n',
    replace: '\n',
    tests: ['services/api/src/memory/coherent-cache.test.ts', REPLICAS],
  },
  {
    name: 'a load that began under another belief is kept',
    file: COHERENT,
    find: 'if (inProgress.get(key) !== load || currentBelief() !== load.belief) return',
    replace: 'if (inProgress.get(key) !== load || currentBelief() === null) return',
    tests: ['services/api/src/memory/coherent-cache.test.ts'],
  },
  {
    name: 'what is kept is looked at before the barrier',
    file: PIPELINE,
    find: `const first = await readTimeline(userId, before, count)
    const { isHeard, mergedAuthors } = first
    const viewer = isHeard
      ? await viewers.account(grant)
      : await sessions.findViewer(grant, clock.now())
    if (!viewer) throw sessionEnded()
    await admit?.(viewer.id)
    const authors = isHeard && freshness.belief() ? await relations.feedAuthors(viewer) : null`,
    replace: `const viewer = await viewers.account(grant)
    if (!viewer) throw sessionEnded()
    const early = freshness.belief() ? await relations.feedAuthors(viewer) : null
    const first = await readTimeline(userId, before, count)
    const { isHeard, mergedAuthors } = first
    await admit?.(viewer.id)
    const authors = isHeard && freshness.belief() ? early : null
    void [sessions, clock]`,
    tests: [REPLICAS],
  },
  {
    name: 'a barrier that was sent serves who asks after that',
    file: 'shared/src/async/in-one-turn.ts',
    find: 'if (open?.parts === parts) open = null',
    replace: 'void open',
    tests: [SCRIPTED],
  },
  {
    name: 'requests other than the feed wait for no barrier',
    file: 'services/api/src/http/authentication.ts',
    find: 'await freshness.barrier().then(',
    replace: 'await Promise.resolve().then(',
    tests: ['services/api/src/memory'],
  },
  {
    name: 'an edit or delete is not announced',
    file: 'services/api/src/memory/announced-stores.ts',
    find: "await posts.delete(id, author)\n        await announce([{ kind: 'post', post: id }])",
    replace: 'await posts.delete(id, author)',
    tests: [REPLICAS],
  },
  {
    name: 'an unfollow is not announced',
    file: 'services/api/src/memory/announced-stores.ts',
    find: 'const isEnded = await graph.unfollow(follower, followee)\n        await announce([viewer(follower)])',
    replace: 'const isEnded = await graph.unfollow(follower, followee)',
    tests: [REPLICAS],
  },
  {
    name: 'a like is not announced to its viewer',
    file: 'services/api/src/memory/announced-stores.ts',
    find: 'await engagement.like(by, post)\n        await announce(liked(post, by))',
    replace:
      "await engagement.like(by, post)\n        await announce([{ kind: 'engagement', post, by }])",
    tests: [REPLICAS],
  },
  {
    name: 'a changed name leaves pieces as they are',
    file: PIECES,
    find: 'renamedAt.set(author, names)',
    replace: '',
    tests: [REPLICAS],
  },
  {
    name: 'a repeated request keeps the post as it was at first',
    file: PIECES,
    find: 'if (!account || !created || body.id !== id) return null',
    replace: 'if (!account || body.id !== id) return null',
    tests: ['services/api/src/memory/post-pieces.test.ts'],
  },
  {
    name: 'an id that is used again shows the post that was written here',
    file: PIECES,
    find: '!own.delete(change.post)',
    replace: '!own.has(change.post)',
    tests: ['services/api/src/memory/post-pieces.test.ts'],
  },
  {
    name: 'an account is never read again beside the requests',
    file: VIEWERS,
    find: 'if (refreshing.has(grant.sessionId)) return',
    replace: 'if (grant.sessionId !== 0) return',
    tests: ['services/api/src/memory/viewers.test.ts'],
  },
  {
    name: 'an account that nobody can read again is good for ever',
    file: VIEWERS,
    find: 'if (age >= ACCOUNT_MS) return null',
    replace: 'if (age >= Number.POSITIVE_INFINITY) return null',
    tests: ['services/api/src/memory/viewers.test.ts'],
  },
  {
    name: 'what a feed is made of outlives the version of its account',
    file: 'services/api/src/memory/versioned-cache.ts',
    find: 'if (cached?.graphVersion === graphVersion) return cached.value',
    replace: 'if (cached) return cached.value',
    tests: ['services/api/src/memory/relations.test.ts'],
  },
  {
    name: 'looks at the fence queue behind statements',
    file: 'shared/src/runtime/server-backend.ts',
    find: `await mysql()
    const { fence } = await watch()`,
    replace: `const { createSqlFreshnessFence } = await import('../adapters/sql/freshness-fence')
    const fence = createSqlFreshnessFence((await mysql()).db)`,
    tests: ['tests/faults/full-pool.server.test.ts'],
    needs: 'TEST_DATABASE_URL',
  },
  {
    name: 'counts are never read again',
    file: PIECES,
    find: 'return change === undefined || (now < change.until && !change.by.has(viewer))',
    replace: 'return true',
    tests: [REPLICAS],
  },
  {
    name: 'what was written again goes with the segment of before',
    file: 'services/api/src/memory/piece-cache.ts',
    find: 'if (rows[at + SEGMENT] !== oldest.number) continue',
    replace: 'if (!rowOf.has(post)) continue',
    tests: ['services/api/src/memory'],
  },
  {
    name: 'what is used goes with its segment',
    file: 'services/api/src/memory/piece-cache.ts',
    find: 'if (rows[at + USED] === 1 && room > 0) rescued.push([post, entry])\n      else remove(post)',
    replace: 'remove(post)',
    tests: ['services/api/src/memory'],
  },
  {
    name: 'a piece written again counts as the one of before',
    file: 'services/api/src/memory/piece-cache.ts',
    find: 'a.piece?.from === b.piece?.from',
    replace: 'true',
    tests: ['services/api/src/memory'],
  },
  {
    name: 'a page shows whatever its window holds',
    file: PIPELINE,
    find: 'if (!piece || !authors.has(piece.authorId)) continue',
    replace: 'if (!piece) continue',
    tests: [REPLICAS, FEED],
  },
  {
    name: 'a window of another graph version is read',
    file: PIPELINE,
    find: "return slice.state === 'ready' && slice.graphVersion === viewer.graphVersion",
    replace: "return slice.state === 'ready'",
    tests: [REPLICAS, FEED],
  },
  {
    name: 'windows are read though posts are pushed elsewhere',
    file: PIPELINE,
    find: 'slice: mergedAuthors === null ? null : slice',
    replace: 'slice',
    tests: ['services/api/src/memory'],
  },
  {
    name: 'what lies below the floor is left out',
    file: PIPELINE,
    find: 'if (ids.length >= limit || floor === 0) {',
    replace: 'if (ids.length >= 0) {',
    tests: [REPLICAS, FEED],
  },
  {
    name: 'a rebuild reads SQL before it begins',
    file: FEED_READS,
    find: 'const token = await timelines.beginRebuild(viewer.id).catch(onAway)\n    if (!token) return null\n    const ids = await posts.feedIds(viewer.id, { before: null, limit: TIMELINE_CAP })',
    replace:
      'const ids = await posts.feedIds(viewer.id, { before: null, limit: TIMELINE_CAP })\n    const token = await timelines.beginRebuild(viewer.id).catch(onAway)\n    if (!token) return null',
    tests: [FEED],
  },
  {
    name: 'hidden items are read eight at a time',
    file: 'services/api/src/http/fill-page.ts',
    find: 'return Math.min(GROWTH * count, Math.max(MOST, count))',
    replace: 'return Math.max(8, count)',
    tests: ['services/api/src/http'],
  },
  {
    name: 'a query leaves its index to the optimizer',
    file: 'shared/src/adapters/sql/post-feed.ts',
    find: ".selectFrom(byIndex('follows', 'PRIMARY'))",
    replace: ".selectFrom('follows')",
    tests: [
      'shared/src/adapters/sql/query-plans.server.test.ts',
      'shared/src/adapters/sql/deep-pages.server.test.ts',
    ],
    needs: 'TEST_DATABASE_URL',
  },
  {
    name: 'each cold reader rebuilds',
    file: FEED_READS,
    find: '    if (other) {\n        await other',
    replace: '    if (other && viewer.id < 0) {\n        await other',
    tests: [FEED],
  },
  {
    name: 'all cold readers rebuild at once',
    file: FEED_READS,
    find: 'concurrency: atOnce,',
    replace: 'concurrency: 100 * atOnce,',
    tests: [FEED],
  },
  {
    name: 'who waits for a rebuild takes what it read',
    file: PIPELINE,
    find: 'const { slice: other } = await readTimeline(viewer.id, before, limit)',
    replace: 'const other = slice',
    tests: [FEED],
  },
  {
    name: 'one’s own post is answered though its push failed',
    file: 'services/api/src/modules/posts/service.ts',
    find: 'await users.touchGraph([author])',
    replace: '',
    tests: [REPLICAS, FEED],
  },
  {
    name: 'a rebuild without its token is installed',
    file: MEMORY_TIMELINES,
    find: "if (building?.state.kind !== 'building' || building.state.token !== token) return false",
    replace: "if (building?.state.kind !== 'building') return false",
    tests: [TIMELINES],
  },
  {
    name: 'a push below the floor is kept',
    file: MEMORY_TIMELINES,
    find: "if (post < window.floor) return 'belowFloor'",
    replace: '',
    tests: [TIMELINES],
  },
  {
    name: 'a repeated push is kept twice',
    file: MEMORY_TIMELINES,
    find: "if (window.ids[at] === post) return 'duplicate'",
    replace: '',
    tests: [TIMELINES],
  },
  {
    name: 'the floor is the last id of SQL though pushes above it were trimmed',
    file: MEMORY_TIMELINES,
    find: 'const floor = Math.max(building.floor, complete ? 0 : (last ?? 0))',
    replace: 'const floor = complete ? 0 : (last ?? 0)',
    tests: [TIMELINES],
  },
  {
    name: 'a push counts wherever it went',
    file: FRESHNESS,
    find: '    async confirmPush(run) {\n',
    replace: '    async confirmPush(run) {\n      if (run !== null) return\n',
    tests: [SCRIPTED, HISTORIES],
  },
  {
    name: 'a push elsewhere counts though the term stays',
    file: FRESHNESS,
    find: 'if (!(await fence.forgetServer(seen.generation))) {',
    replace: 'if (seen.generation < 0) {',
    tests: [SCRIPTED, HISTORIES],
  },
  {
    name: 'a push elsewhere counts before looks at the fence are over',
    file: FRESHNESS,
    find: '      await outlastLeases(seen.closedSince)\n    },\n\n    onChange',
    replace: '    },\n\n    onChange',
    tests: [SCRIPTED, HISTORIES],
  },
  {
    name: 'a push on nobody knows which run counts for the present one',
    file: 'shared/src/adapters/redis/timeline-store.ts',
    find: 'await confirmPush(run === client.currentRun() ? run : null)',
    replace: 'await confirmPush(client.currentRun())',
    tests: [SCRIPTED, HISTORIES],
  },
  {
    name: 'windows carry the run without its term',
    file: FRESHNESS,
    find: '      client?.useTerm(seen.term)\n',
    replace: '',
    tests: [SCRIPTED, HISTORIES],
  },
  {
    name: 'a change told on one run counts as told on the next',
    file: FRESHNESS,
    find: '() => (run === client.currentRun() ? run : null)',
    replace: '() => client.currentRun()',
    tests: [SCRIPTED, HISTORIES],
  },
  {
    name: 'a look at the fence is good for ever',
    file: FRESHNESS,
    find: 'return look !== null && now - look.at < leaseMs',
    replace: 'return look !== null && now > 0',
    tests: [SCRIPTED, HISTORIES],
  },
  {
    name: 'another generation of the fence is the same belief',
    file: FRESHNESS,
    find: 'if (look?.generation !== seen.generation) belief = { belief: true }',
    replace: '',
    tests: [SCRIPTED, HISTORIES],
  },
  {
    name: 'a new connection is the same belief',
    file: FRESHNESS,
    find: '        belief = { belief: true }\n        isListening = true',
    replace: '        isListening = true',
    tests: [SCRIPTED, HISTORIES],
  },
  {
    name: 'a writer that cannot tell others does not wait',
    file: FRESHNESS,
    find: 'await outlastLeases((await lookAtFence(fence.close)).closedSince)',
    replace: 'await lookAtFence(fence.close)',
    tests: [SCRIPTED, HISTORIES],
  },
  {
    name: 'a writer that cannot tell others closes no fence',
    file: FRESHNESS,
    find: 'await outlastLeases((await lookAtFence(fence.close)).closedSince)',
    replace: 'await outlastLeases(time.now())',
    tests: [SCRIPTED, HISTORIES],
  },
  {
    name: 'a writer that finds the fence closed does not wait',
    file: FRESHNESS,
    find: '        await outlastLeases(seen.closedSince)\n      }\n',
    replace: '      }\n',
    tests: [SCRIPTED, HISTORIES],
  },
  {
    name: 'the fence opens at once',
    file: FRESHNESS,
    find: '} else if (time.now() - seen.closedSince > leaseMs * LEASE_MARGIN) {',
    replace: '} else if (seen.closedSince > 0) {',
    tests: [SCRIPTED, HISTORIES],
  },
  {
    name: 'any run is believed in while the fence is open',
    file: FRESHNESS,
    find: 'return isOpen && server === run',
    replace: 'return isOpen && server.length >= (run?.length ?? 0) - run!.length',
    tests: [SCRIPTED, HISTORIES],
  },
  {
    name: 'Redis: windows of another run are read',
    file: 'shared/src/adapters/redis/window.lua',
    find: 'if marker and marker.run == run then return marker end',
    replace: 'if marker then return marker end',
    tests: [REDIS_TIMELINES],
    needs: 'TEST_REDIS_URL',
  },
  {
    name: 'Redis: a rebuild without its token is installed',
    file: 'shared/src/adapters/redis/timeline-finish.lua',
    find: 'or marker.note ~= token then return 0 end',
    replace: 'then return 0 end',
    tests: [REDIS_TIMELINES],
    needs: 'TEST_REDIS_URL',
  },
  {
    name: 'Redis: a second rebuild begins beside the first',
    file: 'shared/src/adapters/redis/timeline-begin.lua',
    find: "if marker and marker.state == 'b' then return 0 end",
    replace: '',
    tests: [REDIS_TIMELINES],
    needs: 'TEST_REDIS_URL',
  },
  {
    name: 'Redis: a push below the floor is kept',
    file: 'shared/src/adapters/redis/timeline-push.lua',
    find: 'if number < tonumber(marker.floor) then return BELOW_FLOOR end',
    replace: '',
    tests: [REDIS_TIMELINES],
    needs: 'TEST_REDIS_URL',
  },
  {
    name: 'Redis: a repeated push is kept twice',
    file: 'shared/src/adapters/redis/timeline-push.lua',
    find: 'if pivot == id then return DUPLICATE end',
    replace: '',
    tests: [REDIS_TIMELINES],
    needs: 'TEST_REDIS_URL',
  },
  {
    name: 'Redis: a repeated push of the newest is kept twice',
    file: 'shared/src/adapters/redis/timeline-push.lua',
    find: 'elseif #newest == width and newest < id then',
    replace: 'elseif #newest == width and newest <= id then',
    tests: [REDIS_TIMELINES],
    needs: 'TEST_REDIS_URL',
  },
  {
    name: 'Redis: trimming leaves the floor',
    file: 'shared/src/adapters/redis/timeline-push.lua',
    find: "local floor = redis.call('LINDEX', key, -cap)",
    replace: 'local floor = marker.floor',
    tests: [REDIS_TIMELINES],
    needs: 'TEST_REDIS_URL',
  },
  {
    name: 'Redis: the floor is the last id of SQL though pushes above it were trimmed',
    file: 'shared/src/adapters/redis/timeline-finish.lua',
    find: 'local floor = marker.floor\n',
    replace: "local floor = '0'\n",
    tests: [REDIS_TIMELINES],
    needs: 'TEST_REDIS_URL',
  },
  {
    name: 'Redis: pushes during a rebuild are lost',
    file: 'shared/src/adapters/redis/timeline-finish.lua',
    find: "local pushed = redis.call('LRANGE', key, 1, -1)",
    replace: 'local pushed = {}',
    tests: [REDIS_TIMELINES],
    needs: 'TEST_REDIS_URL',
  },
  {
    name: 'lanes: posts of authors in pull are not merged',
    file: PIPELINE,
    find: 'const { ids, floor } = mergeLists(slice, lists, before, limit)',
    replace: 'const { ids, floor } = slice',
    tests: [REPLICAS],
  },
  {
    name: 'lanes: pushes stop before every reader merges',
    file: 'services/fanout-worker/src/lanes.ts',
    find: "    await announcer.announce([{ kind: 'lanes' }])\n    const isMerged = await lanes.finish(author, crossing, 'pull')",
    replace: "    const isMerged = await lanes.finish(author, crossing, 'pull')",
    tests: [REPLICAS],
  },
  {
    name: 'lanes: fan-out stops in the midst of followers who do not merge',
    file: 'services/fanout-worker/src/lanes.ts',
    find: "lane === 'both' ? toPull(author) : false",
    replace: "lane === 'both' ? toPull(author) : true",
    tests: ['services/fanout-worker/src/lanes.test.ts'],
  },
  {
    name: 'cluster: a change is told on one primary only',
    file: 'shared/src/adapters/redis/cluster.ts',
    find: '[...servers.values()].map((server) => server.publish(message))',
    replace: '[...servers.values()].slice(0, 1).map((server) => server.publish(message))',
    tests: [CLUSTER],
    needs: 'TEST_REDIS_URL',
  },
  {
    name: 'cluster: a slot is looked for where it was at first',
    file: 'shared/src/adapters/redis/cluster.ts',
    find: '    bySlot = next.includes(undefined) ? [] : next\n',
    replace: '    if (!isSame) bySlot = next.includes(undefined) ? [] : next\n',
    tests: [CLUSTER],
    needs: 'TEST_REDIS_URL',
  },
  {
    name: 'lanes: an author goes to pull without being in both',
    file: 'services/fanout-worker/src/lanes.ts',
    find: "    await announcer.announce([{ kind: 'lanes' }])\n    const isMerged = await lanes.finish(author, crossing, 'pull')",
    replace:
      "    const isMerged = await lanes.finish(author, crossing, 'pull')\n    await announcer.announce([{ kind: 'lanes' }])",
    tests: [REPLICAS],
  },
  {
    name: 'lanes: timelines from before live on when an author goes back',
    file: 'services/fanout-worker/src/lanes.ts',
    find: '        await users.touchGraph(followers)\n',
    replace: '',
    tests: [REPLICAS],
  },
  {
    name: 'lanes: nobody is told that timelines are stale when an author goes back',
    file: 'services/fanout-worker/src/lanes.ts',
    find: "        await announcer.announce(followers.map((user) => ({ kind: 'viewer', user })))\n",
    replace: '',
    tests: [REPLICAS],
  },
  {
    name: 'lanes: readers stop merging before timelines are stale',
    file: 'services/fanout-worker/src/lanes.ts',
    find: '    const crossing = await lanes.begin(author)\n    let after',
    replace:
      "    const crossing = await lanes.begin(author)\n    await lanes.finish(author, crossing, 'push')\n    await announcer.announce([{ kind: 'lanes' }])\n    let after",
    tests: [REPLICAS],
  },
  {
    name: 'lanes: an author in both is merged only',
    file: 'shared/src/adapters/sql/lane-store.ts',
    find: "row.is_pushed ? 'both' : 'pull'",
    replace: "'pull'",
    tests: [REPLICAS, 'shared/src/adapters/sql/lane-store.test.ts'],
  },
  {
    name: 'lanes: a crossing goes on though another took over',
    file: 'shared/src/adapters/sql/lane-store.ts',
    find: "        .set({ is_pushed: 0 })\n        .where('author_id', '=', author)\n        .where('crossing', '=', crossing)",
    replace: "        .set({ is_pushed: 0 })\n        .where('author_id', '=', author)",
    tests: ['shared/src/adapters/sql/lane-store.test.ts'],
  },
  {
    name: 'lanes: no hysteresis',
    file: 'services/fanout-worker/src/lanes.ts',
    find: 'Math.ceil(pullAbove * HYSTERESIS)',
    replace: 'pullAbove + Math.ceil(HYSTERESIS)',
    tests: ['services/fanout-worker/src/lanes.test.ts'],
  },
  {
    name: 'lanes: a new post is not in its author’s list',
    file: 'services/api/src/memory/announced-stores.ts',
    find: "          { kind: 'posts', author },\n",
    replace: '',
    tests: [REPLICAS],
  },
  {
    name: 'lanes: what lies below an author’s list is left out',
    file: 'services/api/src/memory/merged-posts.ts',
    find: 'floor: ids.length < kept ? 0 : (ids.at(-1) ?? 0)',
    replace: 'floor: 0',
    tests: [REPLICAS, 'services/api/src/memory'],
  },
  {
    name: 'feeds: the newest posts of authors pass over those above the page',
    file: 'shared/src/adapters/sql/newest-by-author.ts',
    find: 'where author_id = ? and id <= ?`',
    replace: 'where author_id = ? and id + 0 <= ?`',
    tests: ['shared/src/adapters/sql/deep-pages.server.test.ts'],
    needs: 'TEST_DATABASE_URL',
  },
  {
    name: 'feeds: a page passes over its authors’ posts above it',
    file: 'shared/src/adapters/sql/newest-by-author.ts',
    find: 'and id between ? and ? order by',
    replace: 'and id >= ? and id + 0 <= ? order by',
    tests: ['shared/src/adapters/sql/deep-pages.server.test.ts'],
    needs: 'TEST_DATABASE_URL',
  },
]
