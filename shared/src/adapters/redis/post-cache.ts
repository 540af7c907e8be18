import type { PostId, UserId } from '../../domain/id'
import type { PostBody } from '../../domain/post'
import type { PostCache } from '../../ports/post-cache'
import type { RedisClient } from './client'

const TTL_SECONDS = 24 * 3600

export interface RedisPostCacheOptions {
  readonly prefix: string
}

/** Bodies under `<prefix>:post:<id>` as JSON arrays; an entry that cannot be read is a miss. */
export function createRedisPostCache(
  client: RedisClient,
  options: RedisPostCacheOptions,
): PostCache {
  const keyOf = (id: PostId) => `${options.prefix}:post:${id}`
  return {
    async getMany(ids) {
      const found = new Map<PostId, PostBody>()
      if (ids.length === 0) return found
      const values = await client.run((redis) => redis.mget(ids.map(keyOf)))
      for (const [index, id] of ids.entries()) {
        const body = decode(id, values[index])
        if (body) found.set(id, body)
      }
      return found
    },

    async putMany(bodies) {
      if (bodies.length === 0) return
      await client.run((redis) =>
        Promise.all(
          bodies.map((body) => redis.set(keyOf(body.id), encode(body), 'EX', TTL_SECONDS)),
        ),
      )
    },
  }
}

function encode({ authorId, version, createdAt, editedAt, text }: PostBody): string {
  return JSON.stringify([authorId, version, createdAt, editedAt, text])
}

function decode(id: PostId, value: string | null | undefined): PostBody | null {
  if (!value) return null
  let parts: unknown
  try {
    parts = JSON.parse(value)
  } catch {
    return null
  }
  if (!Array.isArray(parts) || parts.length !== 5) return null
  const [authorId, version, createdAt, editedAt, text]: unknown[] = parts
  if (!isInteger(authorId) || !isInteger(version) || !isInteger(createdAt)) return null
  if (editedAt !== null && !isInteger(editedAt)) return null
  if (typeof text !== 'string') return null
  return { id, authorId: authorId as UserId, version, createdAt, editedAt, text }
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
