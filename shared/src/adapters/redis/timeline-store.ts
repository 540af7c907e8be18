import type { Result } from 'ioredis'
import type { PostId, UserId } from '../../domain/id'
import { TIMELINE_LIMITS, type TimelineLimits } from '../../domain/timeline'
import type { PushResult, RebuildToken, TimelineStore } from '../../ports/timeline-store'
import { chunks } from '../chunks'
import type { RedisClient } from './client'
import begin from './timeline-begin.lua' with { type: 'text' }
import finish from './timeline-finish.lua' with { type: 'text' }
import push from './timeline-push.lua' with { type: 'text' }
import read from './timeline-read.lua' with { type: 'text' }
import window from './window.lua' with { type: 'text' }

declare module 'ioredis' {
  interface RedisCommander<Context> {
    snsTimelinePush(
      keyCount: number,
      ...keysThenIdCapSlack: (string | number)[]
    ): Result<[delivered: number, absent: number, duplicate: number, belowFloor: number], Context>
    snsTimelineRead(
      key: string,
      run: string,
      before: number | '',
      limit: number,
      ttlMs: number,
    ): Result<[floor: string, graphVersion: string, ids: string[]] | null, Context>
    snsTimelineBegin(key: string, run: string, token: string, ttlMs: number): Result<0 | 1, Context>
    snsTimelineFinish(
      key: string,
      run: string,
      token: string,
      complete: 0 | 1,
      graphVersion: number,
      cap: number,
      ttlMs: number,
      ...ids: number[]
    ): Result<0 | 1, Context>
  }
}

/**
 * Parts that a Redis Cluster may spread: all keys of one part are in one slot, so that one script can
 * push to them. Few parts make long pushes, many let more primaries share evenly.
 */
const PARTS = 32
/** Timelines that one script call fans a post out to: long enough to be cheap, short enough to let others in. */
const KEYS_PER_PUSH = 500

export interface RedisTimelineStoreDeps {
  readonly client: RedisClient
  /** Whether readers have what was pushed on a run; see `RedisFreshness`. */
  readonly confirmPush: (run: string | null) => Promise<void>
}

export interface RedisTimelineStoreOptions {
  readonly prefix: string
  readonly limits?: TimelineLimits
}

/**
 * Timelines as Redis LISTs, one key a user: `<prefix>:tl:{<part>}:<userId>`, laid out as in `window.lua`. The
 * braces make a Redis Cluster keep a part in one slot. A window lives only as long as the run
 * of the server that wrote it, so what a restart brings back from an old snapshot is never read.
 */
export function createRedisTimelineStore(
  { client, confirmPush }: RedisTimelineStoreDeps,
  options: RedisTimelineStoreOptions,
): TimelineStore {
  client.define('snsTimelinePush', { lua: `${window}\n${push}` })
  client.define('snsTimelineRead', { lua: `${window}\n${read}`, numberOfKeys: 1 })
  client.define('snsTimelineBegin', { lua: `${window}\n${begin}`, numberOfKeys: 1 })
  client.define('snsTimelineFinish', { lua: `${window}\n${finish}`, numberOfKeys: 1 })
  const { cap, slack, ttlMs, rebuildTtlMs } = options.limits ?? TIMELINE_LIMITS
  const keyOf = (user: UserId) => timelineKey(options.prefix, user)

  async function pushChunk(post: PostId, keys: readonly string[]): Promise<PushResult> {
    const [delivered, absent, duplicate, belowFloor] = await client.run(
      (redis) => redis.snsTimelinePush(keys.length, ...keys, post, cap, slack),
      keys[0],
    )
    return { delivered, absent, duplicate, belowFloor }
  }

  return {
    async read(user, { before, limit }) {
      const reply = await client.run(
        (redis, run) => redis.snsTimelineRead(keyOf(user), run, before ?? '', limit, ttlMs),
        keyOf(user),
      )
      if (reply === null) return { state: 'absent' }
      const [floor, graphVersion, ids] = reply
      return {
        state: 'ready',
        ids: ids.map((id) => Number(id) as PostId),
        floor: Number(floor),
        graphVersion: Number(graphVersion),
      }
    },

    async push(post, users) {
      const run = client.currentRun()
      const pushes = client
        .together(users.map(keyOf))
        .flatMap((keys) => [...chunks(keys, KEYS_PER_PUSH)])
      const results = await Promise.all(pushes.map((keys) => pushChunk(post, keys)))
      await confirmPush(run === client.currentRun() ? run : null)
      return results.reduce(add, NOTHING_PUSHED)
    },

    async beginRebuild(user) {
      const token = crypto.randomUUID() as string as RebuildToken
      const begun = await client.run(
        (redis, run) => redis.snsTimelineBegin(keyOf(user), run, token, rebuildTtlMs),
        keyOf(user),
      )
      return begun === 1 ? token : null
    },

    async finishRebuild(user, token, { ids, complete, graphVersion }) {
      const finished = await client.run(
        (redis, run) =>
          redis.snsTimelineFinish(
            keyOf(user),
            run,
            token,
            complete ? 1 : 0,
            graphVersion,
            cap,
            ttlMs,
            ...ids,
          ),
        keyOf(user),
      )
      return finished === 1
    },

    async drop(user) {
      await client.run((redis) => redis.unlink(keyOf(user)), keyOf(user))
    },
  }
}

export function timelineKey(prefix: string, user: UserId): string {
  return `${prefix}:tl:{${user % PARTS}}:${user}`
}

const NOTHING_PUSHED: PushResult = { delivered: 0, absent: 0, duplicate: 0, belowFloor: 0 }

function add(a: PushResult, b: PushResult): PushResult {
  return {
    delivered: a.delivered + b.delivered,
    absent: a.absent + b.absent,
    duplicate: a.duplicate + b.duplicate,
    belowFloor: a.belowFloor + b.belowFloor,
  }
}
