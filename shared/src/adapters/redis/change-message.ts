import type { PostId, UserId } from '../../domain/id'
import type { Change } from '../../ports/freshness'

/** Changes as one line of text: a letter and ids each, `p7 e7:3 a3 v3`. */
export function encodeChanges(changes: readonly Change[]): string {
  return changes.map(encode).join(' ')
}

/** What is none of ours is passed over: a newer version may know more kinds. */
export function decodeChanges(message: string): Change[] {
  return message.split(' ').flatMap((part) => decode(part) ?? [])
}

function encode(change: Change): string {
  switch (change.kind) {
    case 'post':
      return `p${change.post}`
    case 'engagement':
      return `e${change.post}:${change.by}`
    case 'author':
      return `a${change.user}`
    case 'viewer':
      return `v${change.user}`
  }
}

function decode(part: string): Change | null {
  const [, kind, first, second] = /^([peav])(\d+)(?::(\d+))?$/.exec(part) ?? []
  const id = Number(first)
  switch (kind) {
    case 'p':
      return { kind: 'post', post: id as PostId }
    case 'e':
      return { kind: 'engagement', post: id as PostId, by: Number(second) as UserId }
    case 'a':
      return { kind: 'author', user: id as UserId }
    case 'v':
      return { kind: 'viewer', user: id as UserId }
    default:
      return null
  }
}
