import type { Redis, Result } from 'ioredis'
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

/** Each runs by its hash, and is sent whole again where the server has forgotten it. */
export function defineTimelineScripts(redis: Redis): void {
  redis.defineCommand('snsTimelinePush', { lua: `${window}\n${push}` })
  redis.defineCommand('snsTimelineRead', { lua: `${window}\n${read}`, numberOfKeys: 1 })
  redis.defineCommand('snsTimelineBegin', { lua: `${window}\n${begin}`, numberOfKeys: 1 })
  redis.defineCommand('snsTimelineFinish', { lua: `${window}\n${finish}`, numberOfKeys: 1 })
}
