import type { Comment, Post } from '@sns/client'
import { useEffect } from 'preact/hooks'
import { changeRemembered } from './visits'

/** What one did to posts, here or in another tab. */
export type Change =
  | { readonly kind: 'written' | 'changed'; readonly post: Post }
  | { readonly kind: 'deleted'; readonly post: Post['id'] }
  | { readonly kind: 'commented'; readonly comment: Comment }
  | { readonly kind: 'uncommented'; readonly comment: Pick<Comment, 'id' | 'postId'> }

interface Told {
  readonly user: string
  readonly change: Change
}

const channel = new BroadcastChannel('sns.changes')
const here = new EventTarget()

channel.onmessage = ({ data }: MessageEvent<Told>) => hear(data)

/** Shows a change wherever the post is shown or will be on Back: in this tab and in every other of the same account. */
export function tell(user: string, change: Change): void {
  const told = { user, change }
  channel.postMessage(told)
  hear(told)
}

function hear(told: Told): void {
  changeRemembered((value) => (isPage(value) ? changePosts(value, told.change) : value))
  here.dispatchEvent(new CustomEvent('change', { detail: told }))
}

/** Calls `changed` with each change that `user` makes. */
export function useChanges(user: string, changed: (change: Change) => void): void {
  useEffect(() => {
    const listener = (event: Event) => {
      const { detail } = event as CustomEvent<Told>
      if (detail.user === user) changed(detail.change)
    }
    here.addEventListener('change', listener)
    return () => here.removeEventListener('change', listener)
  })
}

interface PageOfPosts {
  readonly items: readonly { readonly id: string }[]
}

function isPage(value: unknown): value is PageOfPosts {
  return typeof value === 'object' && value !== null && 'items' in value
}

function changePosts<Page extends PageOfPosts>(page: Page, change: Change): Page {
  return { ...page, items: applyToPosts(page.items, change) }
}

/** A list after a change to one of its posts. */
export function applyToPosts<Item extends { readonly id: string }>(
  items: readonly Item[],
  change: Change,
): readonly Item[] {
  if (change.kind === 'changed') {
    const { post } = change
    return items.map((each) => (isPost(each) && each.id === post.id ? { ...each, ...post } : each))
  }
  if (change.kind === 'deleted')
    return items.filter((each) => !(isPost(each) && each.id === change.post))
  return items
}

/** Ids of different kinds may be equal. */
function isPost(item: object): boolean {
  return 'counts' in item && 'entities' in item
}
