import type { estypes } from '@elastic/elasticsearch'
import { SEARCH_TERMS_VERSION } from '../../domain/search-terms'
import type { SpareRole } from '../../ports/index-generations'
import type { SearchKind } from '../../ports/search-index'
import type { ElasticsearchClient } from './client'

/** Names of the indexes of a generation, by what they hold. */
export type IndexNames = Readonly<Record<SearchKind, string>>

/** How an index is made; changed by hand afterwards, it stays as it was changed. */
export interface NewIndexOptions {
  readonly shards: number
  readonly replicas: number
  /** Milliseconds until what was written can be found. */
  readonly refreshMs: number
}

export interface IndexDefinition {
  readonly kind: SearchKind
  /** The name that searches read by. */
  readonly alias: string
  /** The index behind the alias; a new generation is a new index. */
  readonly index: string
  readonly settings: estypes.IndicesIndexSettings
  readonly mappings: estypes.MappingTypeMapping
}

export function postsAlias(prefix: string): string {
  return `${prefix}-posts`
}

export function usersAlias(prefix: string): string {
  return `${prefix}-users`
}

export function readAliases(prefix: string): IndexNames {
  return { post: postsAlias(prefix), user: usersAlias(prefix) }
}

/** The name of what is being built (`next`), or was read before (`previous`). */
export function spareAlias(alias: string, role: SpareRole): string {
  return `${alias}.${role}`
}

/** The name by which an index is written: no other ever has it. */
export function ownAlias(index: string): string {
  return `${index}.own`
}

/** The indexes of a generation; `name` tells it from others. */
export function indexDefinitions(
  prefix: string,
  { shards, replicas, refreshMs }: NewIndexOptions,
  name = 'v1',
): readonly IndexDefinition[] {
  const common = {
    number_of_shards: shards,
    number_of_replicas: replicas,
    // Explicit: by default an index that nobody searched for 30 s stops refreshing until the next
    // search.
    refresh_interval: `${refreshMs}ms`,
    // How long a deleted document's version is remembered, in memory. A change that comes later than
    // that could bring the document back: only a consumer that holds a batch for as long while its
    // partition moved on could do so, and its retries end in minutes. The default is 60 s.
    gc_deletes: '1h',
    similarity: SIMILARITY,
  }
  return [
    {
      kind: 'post',
      alias: postsAlias(prefix),
      index: `${postsAlias(prefix)}-${name}`,
      settings: { ...common, analysis: ANALYSIS },
      mappings: mapping({
        id: { type: 'long' },
        authorId: { type: 'long' },
        createdAt: { type: 'long' },
        text: { type: 'text', analyzer: 'language', similarity: 'short_text' },
        textHash: { type: 'long', index: false },
        grams: GRAMS,
      }),
    },
    {
      kind: 'user',
      alias: usersAlias(prefix),
      index: `${usersAlias(prefix)}-${name}`,
      settings: common,
      mappings: mapping({
        id: { type: 'long' },
        username: { type: 'keyword' },
        grams: GRAMS,
      }),
    },
  ]
}

/**
 * What nori leaves out of Korean text: endings, particles and signs. Its own list has prefixes, suffixes and adnouns too,
 * which are parts of nouns: 첫사랑 would be 사랑.
 */
const LEFT_OUT = {
  endings: ['EP', 'EF', 'EC', 'ETN', 'ETM'],
  particles: ['JKS', 'JKC', 'JKG', 'JKO', 'JKB', 'JKV', 'JKQ', 'JX', 'JC'],
  signs: ['SF', 'SP', 'SSC', 'SSO', 'SC', 'SE', 'SY'],
} as const

/** Korean by its morphemes, without case and accents. */
const ANALYSIS: estypes.IndicesIndexSettingsAnalysis = {
  tokenizer: { korean: { type: 'nori_tokenizer', decompound_mode: 'mixed' } },
  filter: {
    left_out: { type: 'nori_part_of_speech', stoptags: Object.values(LEFT_OUT).flat() },
  },
  analyzer: {
    language: {
      type: 'custom',
      tokenizer: 'korean',
      filter: ['left_out', 'lowercase', 'asciifolding'],
    },
  },
}

/** Posts are short, so length should hardly count. */
const SIMILARITY: Record<string, estypes.IndicesSettingsSimilarity> = {
  short_text: { type: 'BM25', k1: 1.2, b: 0.3 },
}

/** The terms of `searchTerms`, separated by spaces. */
const GRAMS: estypes.MappingProperty = {
  type: 'text',
  analyzer: 'whitespace',
  similarity: 'short_text',
}

function mapping(properties: Record<string, estypes.MappingProperty>): estypes.MappingTypeMapping {
  return { dynamic: 'strict', _meta: { termsVersion: SEARCH_TERMS_VERSION }, properties }
}

export function hasAlias(client: ElasticsearchClient, alias: string): Promise<boolean> {
  return client.call((api, options) => api.indices.existsAlias({ name: alias }, options))
}
