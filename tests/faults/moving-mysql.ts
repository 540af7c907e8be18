import { createMysqlSession } from '@sns/cdc-indexer/capture/mysql/session'
import { eventually } from '@sns/shared/testing/eventually'
import { type MysqlPair, openMysqlPair } from '@sns/shared/testing/mysql-pair'
import { type ProgramProcess, spawnProgram } from '../../scripts/process/program-process'
import { type ApiProcess, startApiProcess } from '../api-process'
import { rareWord, signUp } from '../journey'
import { createMigratedNames, startWorker } from '../server-suite'
import { createFeedModel, type SettledRows } from './feed-model'
import { createRacingClient, type RaceTally } from './racing-client'

/** Something that is done to the servers of MySQL, as the rig's commands are called. */
export interface Move {
  readonly name: string
  readonly command: readonly string[]
  /** The server that takes over lacks the last commits. */
  readonly isLossy?: true
}

/** One move, and how long it was felt. */
export interface Round {
  readonly move: string
  /** From the beginning of the move until the address led to the new primary, by the rig. */
  readonly movedMs: number
  /** From then on until every api had answered a write that was begun after it. */
  readonly writesMs: number
  /** The longest time within the round in which an api answered no write. */
  readonly gapMs: number
  readonly refused: number
  readonly answered: number
  /** Reads that a server answered as a replica. */
  readonly atReplicas: number
  /** Posts that were answered and that the database lost, or lost edits of. */
  readonly lost: number
  /** Whether capture ended, as what it had published was lost. */
  readonly hasCaptureEnded: boolean
}

const CLIENTS = 6
const FOLLOWED = 3
const POSTS_BEFORE = 2
/** More than any of the suite's own waits, a busy machine's turns included. */
const WITHIN = { timeoutMs: 60_000 }

export interface MovingSuite extends AsyncDisposable {
  readonly pair: MysqlPair
  readonly apis: readonly ApiProcess[]
  readonly tally: RaceTally
  /** Moves the primary at a moment that `random` chooses, while everybody writes and reads. */
  play(move: Move, random: () => number): Promise<Round>
  /** What `search verify` and `feeds verify` say, of timelines and of what each api keeps; `''` where all is equal. */
  drift(): Promise<string>
}

/**
 * The whole suite, two apis, on servers of MySQL that take over from one another. One of the apis reads at replicas:
 * each server is one until it leads, and again when it follows. People write and read at both; what each page must show
 * and may not show is the model's (`feed-model.ts`), and so is what each round must leave in the database.
 */
export async function openMovingSuite(
  ...rig: Parameters<typeof openMysqlPair>
): Promise<MovingSuite> {
  await using opening = new AsyncDisposableStack()
  const pair = opening.use(await openMysqlPair(...rig))
  const names = opening.use(await createMigratedNames(pair.url))
  const replicas = pair.servers.map((url) => `${url}/${names.database}`).join()
  const [first, second, worker, started] = await Promise.all([
    startApiProcess(names.env),
    startApiProcess({ ...names.env, DATABASE_READ_URLS: replicas }),
    startWorker(names, 'fanout-worker'),
    startWorker(names, 'cdc-indexer'),
  ])
  const apis = [first, second]
  for (const each of [...apis, worker]) opening.use(each)
  let indexer: ProgramProcess = started
  opening.defer(() => indexer[Symbol.asyncDispose]())

  const urls = apis.map(({ url }) => url)
  const model = createFeedModel()
  const tally: RaceTally = { lists: 0, pages: 0, refused: 0, written: 0, wrong: [] }
  const racers = await openRacers(urls, { model, urls, tally })
  /** One for each api, whose only post it edits there, and nowhere else. */
  const editors = await Promise.all(
    urls.map(async (url) => {
      const person = await signUp(url, 'editor')
      const client = createRacingClient(person, [], { model, urls, tally })
      await eventually(() => client.write(url), WITHIN)
      return { url, client, gapMs: 0, answeredAt: 0, begun: 0 }
    }),
  )
  const everybody = [...racers, ...editors.map(({ client }) => client)]
  await Promise.all(apis.map((api) => api.untilBelieving()))
  await rejoin()

  async function edit(editor: (typeof editors)[number], isOver: () => boolean): Promise<void> {
    editor.answeredAt = performance.now()
    editor.gapMs = 0
    while (!isOver()) {
      const begun = performance.now()
      if (await editor.client.edit(editor.url)) {
        const now = performance.now()
        editor.gapMs = Math.max(editor.gapMs, now - editor.answeredAt)
        Object.assign(editor, { answeredAt: now, begun })
        // Whoever reads it at either api sees this edit or a later one.
        for (const url of urls) {
          await editor.client.read('feed', url)
          await editor.client.read('own', url)
        }
      }
      await Bun.sleep(10)
    }
  }

  /** Resolves once so many more lists were read, or one was wrong. */
  async function more(lists: number): Promise<void> {
    const until = tally.lists + lists
    await eventually(() => tally.lists >= until || tally.wrong.length > 0, WITHIN)
  }

  async function rows(): Promise<SettledRows> {
    await using session = createMysqlSession(names.mysql, { timeoutMs: 60_000 })
    const column = async (statement: string) =>
      (await session.query(statement)).map(({ name }) => String(name))
    const name = "substring_index(posts.text, ' ', 2)"
    const texts = await column('select text as name from posts')
    return {
      posts: new Map(
        texts.map((text) => {
          const [author, number, edit] = text.split(' ')
          return [`${author} ${number}`, Number(edit)]
        }),
      ),
      follows: new Set(
        await column(`select concat(reader.username, ' ', author.username) as name from follows
          join users reader on reader.id = follower_id join users author on author.id = followee_id`),
      ),
      likes: new Set(
        await column(`select concat(reader.username, ' ', ${name}) as name from likes
          join users reader on reader.id = user_id join posts on posts.id = post_id`),
      ),
    }
  }

  const readsAtReplicas = () => second.metric('sns_replica_reads_total{answer="replica"}')

  /** Whoever does not lead follows, and is read. */
  async function rejoin(): Promise<void> {
    await pair.run('rejoin')
    const isUsed = async () => (await second.metric('sns_replicas_set_aside')) === 0
    await eventually(isUsed, { ...WITHIN, what: 'every server is read as a replica' })
  }

  /** Waits until capture has either gone on at the new primary or ended; brings it back as its line says. */
  async function untilCaptured(): Promise<boolean> {
    const word = rareWord()
    const marker = await signUp(first.url, 'marker')
    await marker.client.v1.posts.post({ text: `${word} 0 0` })
    const isFound = async () => {
      const { data } = await marker.client.v1.search.posts.get({ query: { q: word } })
      return data?.items.length === 1
    }
    let code: number | null = null
    void indexer.exited.then((exited) => {
      code = exited
    })
    await eventually(async () => code !== null || (await isFound()), {
      ...WITHIN,
      what: 'capture goes on or ends',
    })
    if (code === null) return false
    if (code !== 1 || !indexer.output().includes('it lacks')) throw new Error(indexer.output())
    await using goOn = spawnProgram('snapshot', ['--from-here'], names.env)
    // It waits for capture, which waits for it.
    await eventually(() => goOn.output() !== '', WITHIN)
    indexer = await startWorker(names, 'cdc-indexer')
    if ((await goOn.exited) !== 0) throw new Error(goOn.output())
    await eventually(isFound, { ...WITHIN, what: 'what is written is found again' })
    return true
  }

  async function play(move: Move, random: () => number): Promise<Round> {
    const upTo = (most: number) => 1 + Math.floor(random() * most)
    const [refused, answered] = [tally.refused, tally.written]
    const atReplicas = await readsAtReplicas()
    let isOver = false
    const race = Promise.all([
      ...racers.map((client) => client.race(() => isOver)),
      ...editors.map((editor) => edit(editor, () => isOver)),
    ])
    let [movedMs, writesMs] = [0, 0]
    try {
      await more(CLIENTS * 2 + upTo(CLIENTS * 4))
      if (move.isLossy) {
        model.beginLoss()
        await pair.run('lag')
        await more(CLIENTS * 2 + upTo(CLIENTS * 4))
        model.loseNow()
      }
      const from = performance.now()
      await pair.run(...move.command)
      const to = performance.now()
      movedMs = to - from
      model.endLoss()
      await eventually(() => editors.every(({ begun }) => begun > to), {
        ...WITHIN,
        what: `writes at each api after ${move.name}`,
      })
      writesMs = Math.max(...editors.map(({ answeredAt }) => answeredAt)) - to
      await more(upTo(CLIENTS * 4))
    } finally {
      isOver = true
      await race
    }
    const settled = model.settle(await rows())
    tally.wrong.push(...settled.wrong)
    for (const client of everybody) client.forgetLost()
    // What was lost shows nowhere, whatever was kept of it.
    for (const url of urls) await Promise.all(everybody.map((client) => client.read('feed', url)))
    const [hasCaptureEnded] = await Promise.all([
      untilCaptured(),
      rejoin(),
      ...apis.map((api) => api.untilBelieving()),
    ])
    return {
      move: move.name,
      movedMs,
      writesMs,
      gapMs: Math.max(...editors.map(({ gapMs }) => gapMs)),
      refused: tally.refused - refused,
      answered: tally.written - answered,
      atReplicas: (await readsAtReplicas()) - atReplicas,
      lost: settled.lost,
      hasCaptureEnded,
    }
  }

  async function drift(): Promise<string> {
    const memory = apis.flatMap(({ statusUrl }) => ['--memory', statusUrl])
    const checks = [
      ['search', 'verify', '--all'],
      ['feeds', 'verify', '--all'],
      ['feeds', 'verify', ...memory, '--all'],
    ] as const
    const said = checks.map(async ([name, ...args]) => {
      let output = ''
      // Whatever is on its way may be missing at first.
      for (let trial = 0; trial < 5; trial += 1) {
        await using verify = spawnProgram(name, args, names.env)
        if ((await verify.exited) === 0) return ''
        output = verify.output()
      }
      return output
    })
    return (await Promise.all(said)).join('')
  }

  const resources = opening.move()
  return { pair, apis, tally, play, drift, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** People who follow some of the others, whose posts are older than that. */
async function openRacers(urls: readonly string[], deps: Parameters<typeof createRacingClient>[2]) {
  const people = await Promise.all(
    Array.from({ length: CLIENTS }, (_, at) => signUp(urls[at % urls.length] ?? '', `c${at}`)),
  )
  const clients = people.map((person, at) => {
    const others = Array.from({ length: FOLLOWED }, (_, n) => people[(at + n + 1) % CLIENTS])
    return createRacingClient(
      person,
      others.flatMap((other) => other ?? []),
      deps,
    )
  })
  for (let n = 0; n < POSTS_BEFORE; n += 1) {
    await Promise.all(clients.map((client) => client.write()))
  }
  await Promise.all(clients.map((client) => client.begin()))
  return clients
}
