/** What somebody did to a post or to another person, as far as it was answered; unknown: it was not. */
type Answered = 'yes' | 'no' | 'unknown'

/** In the order of all that happens: when something was asked for, and when that was answered; infinite: it was not. */
interface Moment {
  readonly asked: number
  readonly answered: number
}

const NEVER: Moment = { asked: Number.POSITIVE_INFINITY, answered: Number.POSITIVE_INFINITY }

const NO_FOLLOW = { state: 'no' as const, since: 0, ...NEVER }

interface ModelPost {
  readonly author: string
  written: Moment
  /** The latest edit that was answered, and the latest that was asked for. */
  edit: number
  edited: Moment
  askedEdit: number
  /** Edits that the database lost: no page shows them any more. */
  readonly lostEdits: Set<number>
  isDeleteAsked: boolean
  isDeleted: boolean
  deleted: Moment
}

/** What the database has once nothing is under way. Posts are named by the first two words of their text. */
export interface SettledRows {
  /** The edit of each post. */
  readonly posts: ReadonlyMap<string, number>
  /** `reader author` */
  readonly follows: ReadonlySet<string>
  /** `reader post` */
  readonly likes: ReadonlySet<string>
}

/** A person's feed, own posts, and the posts that they like. */
export type ReadList = 'feed' | 'own' | 'likes'

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
  const follows = new Map<string, { state: Answered; since: number } & Moment>()
  /** By who likes and what. */
  const likes = new Map<string, { state: Answered } & Moment>()
  let now = 0
  /** What was answered within may be lost: while a database is replaced by one that lacks its last commits. */
  let loss: { readonly from: number; to: number } | null = null
  let isJudging = true

  const textOf = (key: string, edit: number) => `${key} ${edit}`
  const tick = () => {
    now += 1
    return now
  }
  const stateOf = (reader: string, author: string) =>
    follows.get(`${reader} ${author}`) ?? NO_FOLLOW

  function post(key: string): ModelPost {
    const found = posts.get(key)
    if (!found) throw new Error(`no post ${key}`)
    return found
  }

  function isDue(reader: string, each: ModelPost): boolean {
    if (each.isDeleteAsked || each.written.answered === Number.POSITIVE_INFINITY) return false
    if (each.author === reader) return true
    const { state, since } = stateOf(reader, each.author)
    return state === 'yes' && each.written.answered < since
  }

  /** Whether it was answered for good: not while answers could be lost. */
  const isHeld = ({ asked, answered }: Moment) =>
    answered !== Number.POSITIVE_INFINITY &&
    (loss === null || answered < loss.from || asked > loss.to)

  /** Takes over what became of a post; tells of answers that the database does not hold. */
  function settlePost(key: string, each: ModelPost, edit: number | undefined): string[] {
    if (edit === undefined) {
      posts.delete(key)
      return !each.isDeleteAsked && isHeld(each.written) ? [`${key} is not there`] : []
    }
    const wrong: string[] = []
    if (each.isDeleted && isHeld(each.deleted)) wrong.push(`${key} is there, deleted before`)
    if (edit < each.edit && isHeld(each.edited)) wrong.push(`${key} has edit ${edit}`)
    if (each.lostEdits.has(edit)) wrong.push(`${key} has edit ${edit}, which was lost before`)
    for (let lost = edit + 1; lost <= each.askedEdit; lost += 1) each.lostEdits.add(lost)
    if (each.written.answered === Number.POSITIVE_INFINITY) {
      each.written = { asked: each.written.asked, answered: tick() }
    }
    Object.assign(each, { edit, isDeleteAsked: false, isDeleted: false, deleted: NEVER })
    return wrong
  }

  function settleFollow(pair: string, isThere: boolean): string[] {
    const follow = follows.get(pair) ?? NO_FOLLOW
    const settled = isThere ? ('yes' as const) : ('no' as const)
    follows.set(pair, { ...follow, state: settled })
    const isWrong = follow.state !== 'unknown' && follow.state !== settled && isHeld(follow)
    return isWrong ? [`whether ${pair.split(' ').join(' follows ')}: ${settled}`] : []
  }

  function settleLike(pair: string, isThere: boolean): string[] {
    const like = likes.get(pair) ?? { state: 'no' as const, ...NEVER }
    const settled = isThere ? ('yes' as const) : ('no' as const)
    likes.set(pair, { ...like, state: settled })
    const isWrong = like.state !== 'unknown' && like.state !== settled && isHeld(like)
    return isWrong ? [`whether there is the like ${pair}: ${settled}`] : []
  }

  return {
    /** The text to write; tell `written` what was answered. */
    write(author: string, number: number) {
      const key = `${author} ${number}`
      posts.set(key, {
        author,
        written: { ...NEVER, asked: tick() },
        edit: 0,
        edited: NEVER,
        askedEdit: 0,
        lostEdits: new Set(),
        isDeleteAsked: false,
        isDeleted: false,
        deleted: NEVER,
      })
      return { key, text: textOf(key, 0) }
    },
    written(key: string): void {
      const each = post(key)
      each.written = { asked: each.written.asked, answered: tick() }
    },
    /** The text of the next edit; tell `edited` where it was answered. */
    askEdit(key: string) {
      const each = post(key)
      each.askedEdit += 1
      const edit = each.askedEdit
      const asked = tick()
      const edited = () => {
        each.edit = edit
        each.edited = { asked, answered: tick() }
      }
      return { text: textOf(key, edit), edited }
    },
    askDelete(key: string) {
      const each = post(key)
      each.isDeleteAsked = true
      const asked = tick()
      const deleted = () => {
        each.isDeleted = true
        each.deleted = { asked, answered: tick() }
      }
      return { deleted }
    },
    setFollow(reader: string, author: string, state: Answered, since: number): void {
      const before = stateOf(reader, author)
      // Where it may have been there all along, what was written meanwhile came by fan-out, and may trail.
      const from = before.state === 'no' || state === 'no' ? since : before.since
      follows.set(`${reader} ${author}`, { state, since: from, asked: since, answered: tick() })
    },
    setLike(reader: string, key: string, state: Answered, asked: number): void {
      likes.set(`${reader} ${key}`, { state, asked, answered: tick() })
    },
    /** The moment at which something begins. */
    begin: tick,

    /** What is answered from now on may be lost; until `settle`, whatever is asked for from `endLoss` on excepted. */
    beginLoss(): void {
      loss = { from: tick(), to: Number.POSITIVE_INFINITY }
    },
    /** The answers that are lost are lost by now, and pages may lack them or not. */
    loseNow(): void {
      isJudging = false
    },
    endLoss(): void {
      if (loss) loss.to = tick()
    },
    /** Whether anything can be said about an answer just now. */
    isJudging: () => isJudging,
    has: (key: string) => posts.has(key),

    /**
     * Takes over what the database has; nobody may be writing or reading. Tells what is not there though it was answered
     * for good. Whatever it has lost must never be shown again.
     */
    settle(rows: SettledRows): { readonly wrong: readonly string[]; readonly lost: number } {
      const isAnswered = (each: ModelPost) =>
        !each.isDeleteAsked && each.written.answered !== Number.POSITIVE_INFINITY
      const answered = [...posts].filter(([, each]) => isAnswered(each))
      const lost = answered.filter(([key, { edit }]) => (rows.posts.get(key) ?? -1) < edit).length
      const wrong = [
        ...[...posts].flatMap(([key, each]) => settlePost(key, each, rows.posts.get(key))),
        ...[...new Set([...follows.keys(), ...rows.follows])].flatMap((pair) =>
          settleFollow(pair, rows.follows.has(pair)),
        ),
        ...[...new Set([...likes.keys(), ...rows.likes])]
          .filter((pair) => posts.has(pair.split(' ').slice(1).join(' ')))
          .flatMap((pair) => settleLike(pair, rows.likes.has(pair))),
      ]
      loss = null
      isJudging = true
      return { wrong, lost }
    },

    /** Begins a read of a list of the reader's; tells what is wrong with what it showed. */
    beginRead(reader: string, list: ReadList) {
      const isAsked: Readonly<Record<ReadList, (key: string, each: ModelPost) => boolean>> = {
        feed: (_, each) => isDue(reader, each),
        own: (_, each) => each.author === reader && isDue(reader, each),
        likes: (key, each) => likes.get(`${reader} ${key}`)?.state === 'yes' && !each.isDeleteAsked,
      }
      const due = [...posts].filter(([key, each]) => isAsked[list](key, each)).map(([key]) => key)
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
        if (each.lostEdits.has(Number(edit))) wrong.push(`${text} is an edit that was lost`)
        if (Number(edit) > each.askedEdit) wrong.push(`${text} is an edit of nobody`)
        if (list === 'feed' && author !== reader && stateOf(reader, author).state === 'no') {
          wrong.push(`${text} is by somebody whom ${reader} does not follow`)
        }
        if (list === 'own' && author !== reader) wrong.push(`${text} is not by ${reader}`)
        const liked = likes.get(`${reader} ${key}`)?.state ?? 'no'
        if (liked !== 'unknown' && seen.viewer.liked !== (liked === 'yes')) {
          wrong.push(`${text}: liked is ${seen.viewer.liked}`)
        }
        return wrong
      }

      return {
        /** What is wrong with these posts of a page, or with their order. */
        wrongIn(items: readonly SeenPost[]): string[] {
          if (!isJudging) return []
          const outOfOrder = items.some(
            ({ id }, at) => at > 0 && Number(id) >= Number(items[at - 1]?.id),
          )
          return [...items.flatMap(wrongWith), ...(outOfOrder ? ['out of order, or twice'] : [])]
        },
        /** What all pages to the end lack. */
        lackingIn(items: readonly SeenPost[]): string[] {
          if (!isJudging) return []
          const seen = new Set(items.map(({ text }) => text.split(' ').slice(0, 2).join(' ')))
          return due.filter((key) => !seen.has(key) && !post(key).isDeleteAsked)
        },
      }
    },
  }
}
