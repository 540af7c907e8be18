import type { Mutation } from './mutation'

const SEARCH = 'services/api/src/modules/search'
const TERMS = 'shared/src/domain'
const INDEX = 'shared/src/adapters/elasticsearch'

export const SEARCH_MUTATIONS: readonly Mutation[] = [
  {
    name: 'highlight: text within a mark is not escaped',
    file: `${SEARCH}/highlight.ts`,
    find: '<mark>${escapeHtml(text.slice(start, end))}</mark>',
    replace: '<mark>${text.slice(start, end)}</mark>',
    tests: [SEARCH],
  },
  {
    name: 'highlight: a mark ends where the last one within it does',
    file: `${SEARCH}/highlight.ts`,
    find: 'end: Math.max(last.end, range.end)',
    replace: 'end: range.end',
    tests: [SEARCH],
  },
  {
    name: 'highlight: a hit by another form of a word has no mark',
    file: `${SEARCH}/highlight.ts`,
    find: 'html: markRanges(text, shown.flat())',
    replace: 'html: markRanges(text, places.flat())',
    tests: [SEARCH],
  },
  {
    name: 'search: a form need not begin as the word does',
    file: `${INDEX}/search-index.ts`,
    find: 'must: beginning, filter: morphemes(text)',
    replace: 'must: morphemes(text)',
    tests: [INDEX],
    needs: 'TEST_ES_URL',
  },
  {
    name: 'search: each shard scores by its own statistics',
    file: `${INDEX}/search-index.ts`,
    find: "weighs ? 'dfs_query_then_fetch' : 'query_then_fetch'",
    replace: "weighs ? 'query_then_fetch' : 'query_then_fetch'",
    tests: [`${INDEX}/shards.server.test.ts`],
    needs: 'TEST_ES_URL',
  },
  {
    name: 'search: what a prefix stands for in a shard scores',
    file: `${INDEX}/search-index.ts`,
    find: 'must: phraseQuery({ terms: terms.slice(0, -1), prefix: false }, boost),\n      filter: begins,',
    replace: 'must: begins,',
    tests: [`${INDEX}/shards.server.test.ts`],
    needs: 'TEST_ES_URL',
  },
  {
    name: 'search: what morphology makes of a word scores',
    file: `${INDEX}/search-index.ts`,
    find: 'must: beginning, filter: morphemes(text)',
    replace: 'must: morphemes(text), filter: beginning',
    tests: [`${INDEX}/shards.server.test.ts`],
    needs: 'TEST_ES_URL',
  },
  {
    name: "search: nori's own list of what is left out",
    file: `${INDEX}/index-definitions.ts`,
    find: "left_out: { type: 'nori_part_of_speech', stoptags: Object.values(LEFT_OUT).flat() }",
    replace: "left_out: { type: 'nori_part_of_speech' }",
    tests: [INDEX],
    needs: 'TEST_ES_URL',
  },
  {
    name: 'search: any word stands where a particle was',
    file: `${INDEX}/search-index.ts`,
    find: 'enable_position_increments: false',
    replace: 'enable_position_increments: true',
    tests: [INDEX],
    needs: 'TEST_ES_URL',
  },
  {
    name: 'search: migrate brings back the replicas that an operator changed',
    file: `${INDEX}/migrate-indexes.ts`,
    find: '  // A field that an earlier version did not write',
    replace:
      '  await client.call((api, options) => api.indices.putSettings({ index: alias, settings: { index: { number_of_replicas: definition.settings.number_of_replicas ?? 0 } } }, options))\n  // A field that an earlier version did not write',
    tests: [`${INDEX}/migrate-indexes.server.test.ts`],
    needs: 'TEST_ES_URL',
  },
  {
    name: 'search: a lost index is made with one shard',
    file: `${INDEX}/index-generations.ts`,
    find: 'indexDefinitions(prefix, newIndex))',
    replace: 'indexDefinitions(prefix, { ...newIndex, shards: 1 }))',
    tests: [`${INDEX}/migrate-indexes.server.test.ts`],
    needs: 'TEST_ES_URL',
  },
  {
    name: 'search: the index beside the one that is read is made with one shard',
    file: `${INDEX}/index-generations.ts`,
    find: 'indexDefinitions(prefix, newIndex, stamp)',
    replace: 'indexDefinitions(prefix, { ...newIndex, shards: 1 }, stamp)',
    tests: [`${INDEX}/migrate-indexes.server.test.ts`],
    needs: 'TEST_ES_URL',
  },
  {
    name: 'search: the plural of any word, however short',
    file: `${TERMS}/word-forms.ts`,
    find: 'const SINGULAR_MIN = 3',
    replace: 'const SINGULAR_MIN = 1',
    tests: [TERMS],
  },
  {
    name: 'reindex: a generation is read before it has its last changes',
    file: 'scripts/reindex/generation-swap.ts',
    find: 'await catchUp()\n  await promote()',
    replace: 'await promote()',
    tests: ['scripts/reindex'],
  },
  {
    name: 'sweep: the head is read after the rows',
    file: 'scripts/search/sweep.ts',
    find: 'const version = documentVersion({ source: place, transaction: null })',
    replace:
      'const version = documentVersion({ source: await head(), transaction: null })\n    void place',
    tests: ['scripts/search/sweep.test.ts'],
  },
]
