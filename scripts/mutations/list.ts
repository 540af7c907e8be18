/** A mistake that somebody could make, and the tests that must notice. */
export interface Mutation {
  readonly name: string
  readonly file: string
  /** Stands once in the file. */
  readonly find: string
  readonly replace: string
  readonly tests: readonly string[]
}

const REPLICAS = 'services/api/src/modules/feed/replicas-property.test.ts'
const FEED = 'services/api/src/modules/feed'
const TIMELINES = 'shared/src/adapters/memory/timeline-store.test.ts'
const PIECES = 'services/api/src/memory/post-pieces.ts'
const PIPELINE = 'services/api/src/modules/feed/feed.ts'
const MEMORY_TIMELINES = 'shared/src/adapters/memory/timeline-store.ts'

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a load that was overtaken is kept',
    file: 'services/api/src/memory/known.ts',
    find: 'if (!load.overtaken.has(key)) kept.set(key, value)',
    replace: 'kept.set(key, value)',
    tests: ['services/api/src/memory'],
  },
  {
    name: 'what was kept under another belief is used',
    file: 'services/api/src/memory/known.ts',
    find: 'kept.clear()\n',
    replace: '\n',
    tests: [REPLICAS, 'services/api/src/memory'],
  },
  {
    name: 'a load that began under another belief is kept',
    file: 'services/api/src/memory/known.ts',
    find: 'if (belief !== null && currentBelief() === belief) {',
    replace: 'if (currentBelief() !== null) {',
    tests: ['services/api/src/memory'],
  },
  {
    name: 'what is kept is looked at before the barrier',
    file: PIPELINE,
    find: `let slice = await ask(() => timelines.read(userId, { before, limit: count }))
      const isHeard = slice !== null
      const viewer = isHeard
        ? await viewers.account(grant)
        : await sessions.findViewer(grant, clock.now())
      if (!viewer) throw sessionEnded()
      const view = isHeard && freshness.belief() ? await viewers.feedView(userId) : null`,
    replace: `const viewer = await viewers.account(grant)
      if (!viewer) throw sessionEnded()
      const early = freshness.belief() ? await viewers.feedView(userId) : null
      let slice = await ask(() => timelines.read(userId, { before, limit: count }))
      const view = slice !== null && freshness.belief() ? early : null
      void [sessions, clock]`,
    tests: [REPLICAS],
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
    find: 'await graph.unfollow(follower, followee)\n        await announce([viewer(follower)])',
    replace: 'await graph.unfollow(follower, followee)',
    tests: [REPLICAS],
  },
  {
    name: 'a like is not announced to its viewer',
    file: 'services/api/src/memory/announced-stores.ts',
    find: "await engagement.like(by, post)\n        await announce([{ kind: 'engagement', post, by }, viewer(by)])",
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
    name: 'counts are never read again',
    file: PIECES,
    find: 'return counted === null || (now < counted.until && !counted.by.has(viewer))',
    replace: 'return true',
    tests: [REPLICAS],
  },
  {
    name: 'a page shows whatever its window holds',
    file: PIPELINE,
    find: 'if (piece === undefined || !view.authors.has(piece.authorId)) return null',
    replace: 'if (piece === undefined) return null',
    tests: [REPLICAS, FEED],
  },
  {
    name: 'without memory, a page is checked for visibility in place of membership',
    file: PIPELINE,
    find: 'const viewed = await posts.inFeed(viewer, ids)',
    replace:
      'const viewed = await (posts as never as { visible: typeof posts.inFeed }).visible(viewer, ids)',
    tests: [REPLICAS, FEED],
  },
  {
    name: 'a window of another graph version is read',
    file: PIPELINE,
    find: "slice.state !== 'ready' || slice.graphVersion !== viewer.graphVersion",
    replace: "slice.state !== 'ready'",
    tests: [REPLICAS, FEED],
  },
  {
    name: 'windows are read though posts are pushed elsewhere',
    file: PIPELINE,
    find: 'if (slice === null || !freshness.hasCurrentTimelines()) return',
    replace: 'if (slice === null) return',
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
    file: PIPELINE,
    find: 'const token = await ask(() => timelines.beginRebuild(viewer.id))\n    if (!token) return fromSql(viewer.id, before, limit)\n    const ids = await posts.feedIds(viewer.id, { before: null, limit: TIMELINE_CAP })',
    replace:
      'const ids = await posts.feedIds(viewer.id, { before: null, limit: TIMELINE_CAP })\n    const token = await ask(() => timelines.beginRebuild(viewer.id))\n    if (!token) return fromSql(viewer.id, before, limit)',
    tests: [FEED],
  },
  {
    name: 'one’s own post is answered though its push failed',
    file: 'services/api/src/modules/posts/service.ts',
    find: 'await users.touchGraph(author)',
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
]
