import type { Mutation } from './mutation'

const KAFKA = 'shared/src/adapters/kafka'
const SOCKET = [`${KAFKA}/socket.test.ts`]
const ERRORS = [`${KAFKA}/errors.test.ts`]
const SETTINGS = ['shared/src/config/load-settings.test.ts']

/** Of the connections to Kafka, and of what is said of one that was not accepted. */
export const KAFKA_MUTATIONS: readonly Mutation[] = [
  {
    name: 'kafka: KAFKA_CA reaches nothing',
    file: `${KAFKA}/socket.ts`,
    find: '...(tls.ca && { ca: tls.ca.pem }),',
    replace: '',
    tests: SOCKET,
  },
  {
    name: 'kafka: any certificate is accepted',
    file: `${KAFKA}/socket.ts`,
    find: '...(tls.ca && { ca: tls.ca.pem }),',
    replace: '...(tls.ca && { ca: tls.ca.pem }), rejectUnauthorized: false,',
    tests: SOCKET,
  },
  {
    name: 'kafka: the certificate may be of any host that the authority knows',
    file: `${KAFKA}/socket.ts`,
    find: '...(tls.ca && { ca: tls.ca.pem }),',
    replace: '...(tls.ca && { ca: tls.ca.pem }), checkServerIdentity: () => undefined,',
    tests: SOCKET,
  },
  {
    name: 'kafka: the host is not named in the handshake',
    file: `${KAFKA}/socket.ts`,
    find: '...(isIP(host) === 0 && { servername: host }),',
    replace: '',
    tests: SOCKET,
  },
  {
    name: 'kafka: a port that demands TLS is taken for one that is away',
    file: `${KAFKA}/socket.ts`,
    find: '!tls && data[0] === TLS_ALERT',
    replace: 'false',
    tests: SOCKET,
  },
  {
    name: 'kafka: a handshake may take for ever',
    file: `${KAFKA}/socket.ts`,
    find: 'socket.destroy(tls ? coded(SOCKET_CODES.noHandshake, message) : new Error(message))',
    replace: 'void message',
    tests: SOCKET,
  },
  {
    name: 'kafka: a sign-in that a lost connection ended is a wrong password',
    file: `${KAFKA}/errors.ts`,
    find: ' && !/connect|timed? ?out/i.test(message)',
    replace: '',
    tests: ERRORS,
  },
  {
    name: 'kafka: a user without a password signs in as nobody',
    file: 'shared/src/config/program-settings.ts',
    find: 'if (given && missing) {',
    replace: 'if (false) {',
    tests: SETTINGS,
  },
  {
    name: 'kafka: an authority without KAFKA_SSL is passed over',
    file: 'shared/src/config/program-settings.ts',
    find: 'if (ca !== null && !ssl) {',
    replace: 'if (false) {',
    tests: SETTINGS,
  },
  {
    name: 'kafka: nobody counts which partitions acknowledged their records',
    file: `${KAFKA}/record-sender.ts`,
    find: 'isFailed || acknowledged.sort().join() !== sent.sort().join()',
    replace: 'isFailed',
    tests: ['services/cdc-indexer/src/capture/kafka/moved-leader.test.ts'],
  },
]
