import type { ElasticsearchClient } from './client'

export async function hasAlias(client: ElasticsearchClient, alias: string): Promise<boolean> {
  const { status } = await client.request({
    method: 'GET',
    path: `/_alias/${alias}`,
    accept: [404],
  })
  return status !== 404
}
