import type { Mutation } from './mutation'

const COMPOSE = 'compose.yaml'
const COMPOSE_TESTS = ['tests/ops/compose.test.ts']
const RIGHTS_TESTS = ['tests/servers/service-users.server.test.ts']

export const CONTAINER_MUTATIONS: readonly Mutation[] = [
  {
    name: 'compose: a container may write to its image',
    file: COMPOSE,
    find: '  redis:\n    <<: *confined\n',
    replace: '  redis:\n    <<: *confined\n    read_only: false\n',
    tests: COMPOSE_TESTS,
  },
  {
    name: 'compose: a store is published',
    file: COMPOSE,
    find: "    entrypoint: ['sh', '/start.sh']\n    healthcheck:",
    replace:
      "    entrypoint: ['sh', '/start.sh']\n    ports: ['127.0.0.1:6379:6379']\n    healthcheck:",
    tests: COMPOSE_TESTS,
  },
  {
    name: 'compose: a secret stands in the environment',
    file: COMPOSE,
    find: '      SECRET_KEY_FILE: /run/secrets/secret-key',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: code, to be written
    replace: '      SECRET_KEY: ${SECRET_KEY:-}',
    tests: COMPOSE_TESTS,
  },
  {
    name: 'compose: operators’ commands do not know the password of Redis',
    file: COMPOSE,
    find: '<<: [*database, *redis, *kafka, *elasticsearch, *new-index]',
    replace: '<<: [*database, *kafka, *elasticsearch, *new-index]',
    tests: COMPOSE_TESTS,
  },
  {
    name: 'compose: the api is killed before it has drained',
    file: COMPOSE,
    find: '    stop_grace_period: 320s',
    replace: '    stop_grace_period: 30s',
    tests: COMPOSE_TESTS,
  },
  {
    name: 'grant: the fan-out worker sees hashes of passwords',
    file: 'scripts/grant/mysql-rights.ts',
    find: "'SELECT (user_id, graph_version)'",
    replace: "'SELECT'",
    tests: RIGHTS_TESTS,
    needs: 'TEST_DATABASE_URL',
  },
  {
    name: 'compose: the api is the superuser of Elasticsearch',
    file: COMPOSE,
    find: '      ES_API_KEY_FILE: /credentials/api/es-api-key\n',
    replace: '      ES_PASSWORD_FILE: /run/secrets/es-password\n',
    tests: COMPOSE_TESTS,
  },
  {
    name: 'grant: what is too much stays',
    file: 'scripts/grant/mysql-users.ts',
    find: 'if (extra.length > 0) {',
    replace: 'if (extra.length > 1_000) {',
    tests: RIGHTS_TESTS,
    needs: 'TEST_DATABASE_URL',
  },
  {
    name: 'grant: a new password ends the one before at once',
    file: 'scripts/grant.ts',
    find: "setPassword(service, next, 'keep')",
    replace: "setPassword(service, next, 'forget')",
    tests: RIGHTS_TESTS,
    needs: 'TEST_DATABASE_URL',
  },
]
