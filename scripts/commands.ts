import type { CommandLine } from './process/command-line'

const SAMPLE = {
  sample: { type: 'string', help: 'so many at random' },
  all: { type: 'boolean', help: 'every one' },
} as const

/** Every command, as its help tells it; `sns help` lists those of the executable. */
export const COMMAND_LINES = {
  demo: {
    usage: ['demo [--exit]'],
    summary: 'Loads the sample into its own folder (.demo/), shows the main steps, then serves',
    options: { exit: { type: 'boolean', help: 'stops after the steps' } },
  },
  start: {
    usage: ['start [api | fanout-worker | cdc-indexer]'],
    summary:
      'Runs the suite by the settings: embedded in one process by default, against the servers with DATABASE_URL=mysql://…, or only the service named',
    options: {},
  },
  init: {
    usage: ['init'],
    summary: 'Writes the secrets that compose needs and does not have yet, for their owner alone',
    options: {},
  },
  grant: {
    role: 'migrate',
    usage: ['grant FOLDER [--rotate | --retire] [migrate | api | fanout-worker | cdc-indexer …]'],
    summary:
      'Gives each service a user of MySQL and a key of Elasticsearch with what it needs and no more, and writes them below FOLDER; DATABASE_URL and ES_URL are of one who may make them',
    options: {
      rotate: {
        type: 'boolean',
        help: 'new passwords and keys; those of before work until --retire',
      },
      retire: { type: 'boolean', help: 'ends those of before' },
    },
  },
  migrate: {
    role: 'migrate',
    usage: ['migrate'],
    summary:
      'Creates or upgrades tables, topics and indexes; may be run again and by several at once',
    options: {},
  },
  import: {
    role: 'import',
    usage: [
      'import [--graph FILE] [--posts FILE …] [--limit-users N] [--password PASSWORD]',
      'import --archive FILE --into USERNAME [--following FILE]',
    ],
    summary:
      "Loads a follow graph and posts, or somebody's archive from elsewhere into their account; run it again to resume",
    options: {
      graph: {
        type: 'string',
        help: 'an edge list, follower<TAB>followee, usernames or numbers, .gz too',
      },
      posts: {
        type: 'string',
        multiple: true,
        help: 'JSON lines {"text", "author"?, "createdAt"?, "id"?, "replyTo"?}, .gz too; as often as there are files',
      },
      'limit-users': { type: 'string', help: 'of users with numbers, only those below it' },
      password: { type: 'string', help: 'of every imported user; without it they cannot log in' },
      archive: {
        type: 'string',
        help: "Mastodon's outbox.json or Misskey's export of notes: its public posts",
      },
      into: { type: 'string', help: 'the account that it goes to' },
      following: {
        type: 'string',
        help: 'their list of people followed, as CSV: follows those who are here by the same name',
      },
    },
  },
  feeds: {
    role: 'fanout-worker',
    usage: [
      'feeds verify|rebuild USERNAME … | --sample N | --all',
      'feeds verify --memory URL … --sample N | --all',
    ],
    summary:
      'Compares cached timelines, or what running apis keep, with SQL (exit 1 where something differs), or makes timelines anew',
    options: {
      ...SAMPLE,
      memory: {
        type: 'string',
        multiple: true,
        help: "the operators' port of an api whose memory is compared",
      },
    },
  },
  search: {
    role: 'cdc-indexer',
    usage: ['search verify --sample N | --all'],
    summary: 'Compares the search index with the tables, both ways; exit 1 where they differ',
    options: SAMPLE,
  },
  reindex: {
    role: 'cdc-indexer',
    usage: ['reindex', 'reindex rollback', 'reindex drop'],
    summary:
      'Builds a new search index beside the one that is read, compares it with the tables and swaps; rollback goes back, drop deletes what is not read',
    options: {},
  },
  dlq: {
    role: 'cdc-indexer',
    usage: [
      'dlq list [--limit N]',
      'dlq show ID …',
      'dlq redrive ID … | --all',
      'dlq drop ID … | --all',
    ],
    summary:
      'Dead letters, the changes that the search index rejected: lists and shows them, gives them to it again, forgets them',
    options: {
      all: { type: 'boolean', help: 'every letter' },
      limit: { type: 'string', help: 'how many are listed (100)' },
    },
  },
  snapshot: {
    role: 'cdc-indexer',
    usage: ['snapshot [TABLE …]', 'snapshot --stop', 'snapshot --from-here [--epoch N]'],
    summary:
      'Captures existing rows beside what is written, then removes documents without a row from the index',
    options: {
      stop: {
        type: 'boolean',
        help: 'stops those that run; the next snapshot goes on where they were',
      },
      'from-here': {
        type: 'boolean',
        help: 'goes on behind a gap in the binlog: capture begins where it ends now',
      },
      epoch: { type: 'string', help: 'with --from-here: at least this epoch' },
    },
  },
  repartition: {
    role: 'migrate',
    usage: ['repartition'],
    summary:
      'Makes topics with KAFKA_PARTITIONS partitions that hold the same records, and has capture write those; run it again to resume',
    options: {},
  },
  backup: {
    role: 'backup',
    usage: ['backup FILE [--overwrite]'],
    summary:
      'Embedded: saves database and key in one file while the suite runs; on the servers: prints the commands to run',
    options: { overwrite: { type: 'boolean', help: 'replaces the file' } },
  },
  restore: {
    role: 'backup',
    usage: ['restore FILE'],
    summary: 'Embedded: puts a backup back; on the servers: prints the steps',
    options: {},
  },
  'move-to-servers': {
    role: 'backup',
    usage: ['move-to-servers FILE'],
    summary:
      'Copies an embedded database into the MySQL of the settings, ids and all, and compares them; run it again to resume',
    options: {},
  },
  bench: {
    usage: [
      'bench baseline|cdc|fanout|feed|flame|frame|search|writes [--graph FILE --posts FILE …] [--debezium SCRIPT] [--quick] [--out DIR]',
    ],
    summary: 'Measures one of the figures in the README',
    options: {
      graph: { type: 'string', help: 'an edge list to measure on; without it the sample' },
      posts: { type: 'string', multiple: true, help: 'its posts; as often as there are files' },
      debezium: {
        type: 'string',
        help: 'cdc: the script that starts Debezium, to measure beside ours',
      },
      quick: { type: 'boolean', help: 'smaller and shorter, for a first impression' },
      out: { type: 'string', help: 'where NAME.json goes (bench-out)' },
    },
  },
  build: {
    usage: ['build [FILE]', 'build --client [FOLDER]'],
    summary:
      'Builds one executable, dist/sns or the file named, that needs neither Bun nor the checkout; or the client as a package, dist/client or the folder named',
    options: { client: { type: 'boolean', help: 'the package @sns/client' } },
  },
  check: {
    usage: ['check'],
    summary: 'Checks format, lint, types and layers',
    options: {},
  },
  test: {
    usage: ['test [PATH …] [FLAGS of bun test]'],
    summary:
      'Runs the checks, then every test that can run; server tests run where TEST_DATABASE_URL, TEST_REDIS_URL, TEST_KAFKA_BROKERS and TEST_ES_URL are set',
    options: {},
  },
} as const satisfies Readonly<Record<string, CommandLine>>
