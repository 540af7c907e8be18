/** What somebody did to a post or to another person, as far as it was answered; unknown: it was not. */
type Answered = 'yes' | 'no' | 'unknown'

interface ModelPost {
  readonly author: string
  /** In the order of all that happens: when its creation was answered; infinite where it was not. */
  writtenAt: number
  /** The latest edit that was answered, and the latest that was asked for. */
  edit: number
  askedEdit: number
  isDeleteAsked: boolean
  isDeleted: boolean
}

/** A post as a page shows it. */
export interface SeenPost {
  readonly id: string
  readonly text: string
  readonly viewer: { readonly liked: boolean }
}

export type FeedModel = ReturnType<typeof createFeedModel>

/**
 * What was answered to whom, and so what each page must show and may not show, worked out without a database. A post's
 * text says whose it is, which, and how often it was edited. Posts of others may trail (fan-out brings them), so they
 * are due only where they were there before the reader followed their author.
 */
export function createFeedModel() {
  const posts = new Map<string, ModelPost>()
  /** By who follows and whom: since when. */
  const follows = new Map<string, { state: Answered; since: number }>()
  /** By who likes and what. */
  const likes = new Map<string, Answered>()
  let now = 0

  const textOf = (key: string, edit: number) => `${key} ${edit}`
  const tick = () => {
    now += 1
    return now
  }
  const stateOf = (reader: string, author: string) =>
    follows.get(`${reader} ${author}`) ?? { state: 'no' as const, since: 0 }

  function post(key: string): ModelPost {
    const found = posts.get(key)
    if (!found) throw new Error(`no post ${key}`)
    return found
  }

  function isDue(reader: string, each: ModelPost): boolean {
    if (each.isDeleteAsked || each.writtenAt === Number.POSITIVE_INFINITY) return false
    if (each.author === reader) return true
    const { state, since } = stateOf(reader, each.author)
    return state === 'yes' && each.writtenAt < since
  }

  return {
    /** The text to write; tell `written` what was answered. */
    write(author: string, number: number) {
      const key = `${author} ${number}`
      posts.set(key, {
        author,
        writtenAt: Number.POSITIVE_INFINITY,
        edit: 0,
        askedEdit: 0,
        isDeleteAsked: false,
        isDeleted: false,
      })
      return { key, text: textOf(key, 0) }
    },
    written(key: string): void {
      post(key).writtenAt = tick()
    },
    /** The text of the next edit; tell `edited` where it was answered. */
    askEdit(key: string) {
      const each = post(key)
      each.askedEdit += 1
      const edit = each.askedEdit
      const edited = () => {
        each.edit = edit
      }
      return { text: textOf(key, edit), edited }
    },
    askDelete(key: string) {
      const each = post(key)
      each.isDeleteAsked = true
      const deleted = () => {
        each.isDeleted = true
      }
      return { deleted }
    },
    setFollow(reader: string, author: string, state: Answered, since: number): void {
      follows.set(`${reader} ${author}`, { state, since })
    },
    setLike(reader: string, key: string, state: Answered): void {
      likes.set(`${reader} ${key}`, state)
    },
    /** The moment at which something begins. */
    begin: tick,

    /** Begins a read of a feed, or of the posts that the reader likes; tells what is wrong with what it showed. */
    beginRead(reader: string, list: 'feed' | 'likes') {
      const isAsked = ([key, each]: [string, ModelPost]) =>
        list === 'feed'
          ? isDue(reader, each)
          : likes.get(`${reader} ${key}`) === 'yes' && !each.isDeleteAsked
      const due = [...posts].filter(isAsked).map(([key]) => key)
      const before = new Map([...posts].map(([key, each]) => [key, { ...each }]))

      function wrongWith(seen: SeenPost): string[] {
        const { text } = seen
        const [author = '', number, edit] = text.split(' ')
        const key = `${author} ${number}`
        const [then, each] = [before.get(key), posts.get(key)]
        if (!each) return [`${text} was written by nobody`]
        const wrong: string[] = []
        if (then?.isDeleted) wrong.push(`${text} was deleted before`)
        if (then && Number(edit) < then.edit) wrong.push(`${text} had edit ${then.edit} before`)
        if (Number(edit) > each.askedEdit) wrong.push(`${text} is an edit of nobody`)
        if (list === 'feed' && author !== reader && stateOf(reader, author).state === 'no') {
          wrong.push(`${text} is by somebody whom ${reader} does not follow`)
        }
        const liked = likes.get(`${reader} ${key}`) ?? 'no'
        if (liked !== 'unknown' && seen.viewer.liked !== (liked === 'yes')) {
          wrong.push(`${text}: liked is ${seen.viewer.liked}`)
        }
        return wrong
      }

      return {
        /** What is wrong with these posts of a page, or with their order. */
        wrongIn(items: readonly SeenPost[]): string[] {
          const outOfOrder = items.some(
            ({ id }, at) => at > 0 && Number(id) >= Number(items[at - 1]?.id),
          )
          return [...items.flatMap(wrongWith), ...(outOfOrder ? ['out of order, or twice'] : [])]
        },
        /** What all pages to the end lack. */
        lackingIn(items: readonly SeenPost[]): string[] {
          const seen = new Set(items.map(({ text }) => text.split(' ').slice(0, 2).join(' ')))
          return due.filter((key) => !seen.has(key) && !post(key).isDeleteAsked)
        },
      }
    },
  }
}
