import { postsAlias, usersAlias } from '@sns/shared/adapters/elasticsearch/index-definitions'
import type { Reader } from '@sns/shared/config/settings'

/** What a key may do: with the cluster, and with the indexes of the suite. */
export interface ElasticsearchRights {
  readonly cluster: readonly string[]
  readonly indexes: readonly string[]
}

/** Privileges, and actions where no privilege is as narrow. A service that is not named needs no Elasticsearch. */
const RIGHTS: Readonly<Partial<Record<Reader, ElasticsearchRights>>> = {
  // The version; indexes and aliases, also those of `reindex`.
  migrate: { cluster: ['cluster:monitor/main'], indexes: ['read', 'write', 'manage'] },
  // Whether it is there.
  api: { cluster: ['cluster:monitor/main'], indexes: ['read'] },
  // Writes, and makes an index that was lost.
  'cdc-indexer': {
    cluster: ['cluster:monitor/main'],
    indexes: [
      'write',
      'create_index',
      'view_index_metadata',
      'indices:admin/aliases',
      'indices:admin/mapping/put',
    ],
  },
}

/** Null where the service needs no key. */
export function elasticsearchRights(service: Reader): ElasticsearchRights | null {
  return RIGHTS[service] ?? null
}

/** The suite's indexes and aliases, and nobody else's: see `index-definitions`. */
export function indexPatterns(prefix: string): readonly string[] {
  return [postsAlias(prefix), usersAlias(prefix)].flatMap((alias) => [
    alias,
    `${alias}-*`,
    `${alias}.*`,
  ])
}
