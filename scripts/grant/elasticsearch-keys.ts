import {
  type ElasticsearchClient,
  ElasticsearchRefusal,
} from '@sns/shared/adapters/elasticsearch/client'
import type { Reader } from '@sns/shared/config/settings'
import { type ElasticsearchRights, indexPatterns } from './elasticsearch-rights'

const NO_SUCH_API = 400

/** The API keys of the services, made by one who may. */
export interface ElasticsearchKeys {
  /** False where everybody may do everything: there are no keys then. */
  isSecured(): Promise<boolean>
  /** A new key, encoded as ES_API_KEY takes it, with these rights. */
  make(service: Reader, rights: ElasticsearchRights): Promise<string>
  /** Gives the key these rights, no other; false where there is no such key any more. */
  settle(key: string, rights: ElasticsearchRights): Promise<boolean>
  /** Ends every key of the service but this one. */
  retire(service: Reader, key: string): Promise<void>
}

export function createElasticsearchKeys(
  client: ElasticsearchClient,
  prefix: string,
): ElasticsearchKeys {
  const nameOf = (service: Reader) => `${prefix}-${service}`
  const roles = ({ cluster, indexes }: ElasticsearchRights) => ({
    [prefix]: {
      cluster: [...cluster],
      indices: [{ names: [...indexPatterns(prefix)], privileges: [...indexes] }],
    },
  })

  return {
    async isSecured() {
      try {
        await client.call((api, options) => api.security.authenticate({}, options), {
          expected: [NO_SUCH_API],
        })
        return true
      } catch (error) {
        if (error instanceof ElasticsearchRefusal && error.status === NO_SUCH_API) return false
        throw error
      }
    },

    async make(service, rights) {
      const { encoded } = await client.call(
        (api, options) =>
          api.security.createApiKey(
            { name: nameOf(service), role_descriptors: roles(rights) },
            options,
          ),
        { attempts: 1 },
      )
      return encoded
    },

    async settle(key, rights) {
      const id = idOf(key)
      try {
        const { api_keys } = await client.call(
          (api, options) => api.security.getApiKey({ id, active_only: true }, options),
          { expected: [404] },
        )
        if (api_keys.length === 0) return false
        await client.call((api, options) =>
          api.security.updateApiKey({ id, role_descriptors: roles(rights) }, options),
        )
        return true
      } catch (error) {
        if (error instanceof ElasticsearchRefusal && error.status === 404) return false
        throw error
      }
    },

    async retire(service, key) {
      const { api_keys } = await client.call((api, options) =>
        api.security.getApiKey({ name: nameOf(service), active_only: true }, options),
      )
      const ids = api_keys.map(({ id }) => id).filter((id) => id !== idOf(key))
      if (ids.length === 0) return
      await client.call((api, options) => api.security.invalidateApiKey({ ids }, options))
    },
  }
}

/** A key is its id and its secret. */
function idOf(key: string): string {
  return Buffer.from(key, 'base64').toString().split(':')[0] ?? ''
}
