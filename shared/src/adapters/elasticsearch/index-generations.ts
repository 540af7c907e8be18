import type { estypes } from '@elastic/elasticsearch'
import { storeUnavailable } from '../../errors/sns-error'
import type { IndexGeneration, IndexGenerations, SpareRole } from '../../ports/index-generations'
import type { SearchKind } from '../../ports/search-index'
import type { ElasticsearchClient } from './client'
import {
  type IndexNames,
  indexDefinitions,
  type NewIndexOptions,
  ownAlias,
  readAliases,
  spareAlias,
} from './index-definitions'
import { createIndex, ensureIndex } from './migrate-indexes'
import { createElasticsearchSearchIndex } from './search-index'

export interface IndexGenerationsOptions {
  readonly prefix: string
  readonly newIndex: NewIndexOptions
}

interface Found {
  readonly index: string
  readonly uuid: string
}

type FoundIndexes = Readonly<Partial<Record<SearchKind, Found>>>

const KINDS = ['post', 'user'] as const
const TIMEOUT_MS = 30_000
/** As much of each index' uuid as is needed to tell generations apart. */
const ID_CHARACTERS = 8

/**
 * A generation is an index for each kind. Roles are aliases: searches read `<prefix>-posts`, and `<prefix>-posts.next`
 * and `.previous` are the spare ones. Each index has an alias of its own beside these, by which its generation is
 * written, so that a batch that is under way when roles change goes to the index that it was meant for.
 */
export function createElasticsearchGenerations(
  client: ElasticsearchClient,
  { prefix, newIndex }: IndexGenerationsOptions,
): IndexGenerations {
  const current = readAliases(prefix)
  const spare = (role: SpareRole): IndexNames => ({
    post: spareAlias(current.post, role),
    user: spareAlias(current.user, role),
  })

  async function find(names: IndexNames): Promise<FoundIndexes> {
    const all = await client.call((api, options) =>
      api.indices.get({ index: Object.values(names), ignore_unavailable: true }, options),
    )
    const found: Partial<Record<SearchKind, Found>> = {}
    for (const kind of KINDS) {
      const behind = Object.entries(all).filter(([, { aliases }]) => names[kind] in (aliases ?? {}))
      const [first, second] = behind
      if (first && second) {
        const reason = `${names[kind]} is ${first[0]} and ${second[0]}: remove the alias from one`
        throw storeUnavailable('elasticsearch', new Error(reason))
      }
      if (!first) continue
      const [index, { aliases, settings }] = first
      if (!(ownAlias(index) in (aliases ?? {}))) await update([addAlias(index, ownAlias(index))])
      found[kind] = { index, uuid: settings?.index?.uuid ?? '' }
    }
    return found
  }

  async function update(actions: estypes.IndicesUpdateAliasesAction[]): Promise<void> {
    await client.call((api, options) => api.indices.updateAliases({ actions }, options), {
      timeoutMs: TIMEOUT_MS,
    })
  }

  function generation({ post, user }: FoundIndexes): IndexGeneration | null {
    if (!post || !user) return null
    const names = { post: ownAlias(post.index), user: ownAlias(user.index) }
    return {
      id: [post, user].map(({ uuid }) => uuid.slice(0, ID_CHARACTERS)).join('.'),
      search: createElasticsearchSearchIndex(client, { prefix, names }),
    }
  }

  return {
    async current() {
      const there = generation(await find(current))
      if (there) return there
      for (const definition of indexDefinitions(prefix, newIndex)) {
        await ensureIndex(client, definition)
      }
      const made = generation(await find(current))
      if (made) return made
      throw storeUnavailable('elasticsearch', new Error(`there is no index ${current.post}`))
    },

    async spare(role) {
      return generation(await find(spare(role)))
    },

    async prepare() {
      const names = spare('next')
      const there = await find(names)
      const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
      for (const definition of indexDefinitions(prefix, newIndex, stamp)) {
        if (there[definition.kind]) continue
        await createIndex(client, definition, { [names[definition.kind]]: {} })
      }
      const made = generation(await find(names))
      if (!made)
        throw storeUnavailable('elasticsearch', new Error(`there is no index ${names.post}`))
      return made
    },

    async promote(role) {
      const [now, then, old] = [
        await find(current),
        await find(spare(role)),
        await find(spare('previous')),
      ]
      const actions: estypes.IndicesUpdateAliasesAction[] = []
      for (const kind of KINDS) {
        const [from, to] = [now[kind]?.index, then[kind]?.index]
        if (!to) throw storeUnavailable('elasticsearch', new Error(`there is no ${role} index`))
        const oldest = old[kind]?.index
        if (oldest && oldest !== to) actions.push({ remove_index: { index: oldest } })
        if (from) {
          actions.push(
            { remove: { index: from, alias: current[kind] } },
            addAlias(from, spare('previous')[kind]),
          )
        }
        actions.push(
          { remove: { index: to, alias: spare(role)[kind] } },
          { add: { index: to, alias: current[kind], is_write_index: true } },
        )
      }
      await update(actions)
    },

    async drop(role) {
      const indexes = Object.values(await find(spare(role))).map(({ index }) => index)
      if (indexes.length === 0) return false
      await client.call((api, options) => api.indices.delete({ index: indexes }, options), {
        timeoutMs: TIMEOUT_MS,
      })
      return true
    },
  }
}

function addAlias(index: string, alias: string): estypes.IndicesUpdateAliasesAction {
  return { add: { index, alias } }
}
