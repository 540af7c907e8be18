import type { Mutation } from './mutation'

const SQL = 'shared/src/adapters/sql'

export const OPERATOR_MUTATIONS: readonly Mutation[] = [
  {
    name: 'deletion: likes and comments of a post go in one transaction',
    file: `${SQL}/post-deletion.ts`,
    find: 'left -= await deleteSome(tx, rows, left)',
    replace: 'left -= await deleteSome(tx, rows, 1_000_000)',
    tests: [`${SQL}/post-deletion.test.ts`],
  },
  {
    name: 'deletion: what is left of a post is forgotten after one step',
    file: `${SQL}/post-deletion.ts`,
    find: "if (left > 0) await tx.deleteFrom('post_deletions')",
    replace: "await tx.deleteFrom('post_deletions')",
    tests: [`${SQL}/post-deletion.test.ts`],
  },
  {
    name: 'deletion: another post gets an id of which rows are left',
    file: `${SQL}/post-store.ts`,
    find: 'and not exists (select 1 from post_deletions where post_id = ${id}) ',
    replace: '',
    tests: [`${SQL}/post-deletion.test.ts`],
  },
  {
    name: 'deletion: a failed step hides that the post is gone',
    file: `${SQL}/post-store.ts`,
    find: 'await continuePostDeletion(db, id, DELETE_CHUNK).catch(() => {})',
    replace: 'await continuePostDeletion(db, id, DELETE_CHUNK)',
    tests: [`${SQL}/post-deletion.test.ts`],
  },
  {
    name: 'deletion: posts are not continued',
    file: 'services/api/src/housekeeping.ts',
    find: 'await posts.finishDeletions(signal)',
    replace: 'void posts',
    tests: ['services/api/src/housekeeping.test.ts'],
  },
  {
    name: 'deletion: old rows are pruned in one transaction',
    file: `${SQL}/bounded-delete.ts`,
    find: 'export const DELETE_CHUNK = 500',
    replace: 'export const DELETE_CHUNK = 1_000_000',
    tests: [`${SQL}/post-deletion.test.ts`],
  },
  {
    name: 'dlq: a row is named by the beginning of its id',
    file: 'scripts/dlq/chosen-letters.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: code, to be found
    find: 'startsWith(`${id}@`)',
    replace: 'startsWith(id)',
    tests: ['scripts/dlq/redrive.test.ts'],
  },
  {
    name: 'dlq: a letter goes before it is applied',
    file: 'scripts/dlq/redrive.ts',
    find: 'const { stale, rejected } = await',
    replace: 'await deadLetters.remove([letter])\n  const { stale, rejected } = await',
    tests: ['scripts/dlq/redrive.test.ts'],
  },
  {
    name: 'dlq: a redriven letter brings a deleted post back',
    file: 'scripts/dlq/redrive.ts',
    find: 'if (!row) {',
    replace: 'if (row === null) {',
    tests: ['scripts/dlq/redrive.test.ts'],
  },
  {
    name: 'move-to-servers: runs beside a suite',
    file: 'scripts/move-to-servers.ts',
    find: 'using _lock = lockForProcess(path)',
    replace: 'void lockForProcess',
    tests: ['tests/embedded/move-to-servers.test.ts'],
  },
  {
    name: 'move-to-servers: a table is forgotten',
    file: `${SQL}/table-copy.ts`,
    find: "  mutes: ['muter_id', 'muted_id'],\n",
    replace: '',
    tests: [`${SQL}/table-copy.test.ts`],
  },
  {
    name: 'snapshots: progress is saved before the rows are acknowledged',
    file: 'services/cdc-indexer/src/capture/snapshot-window.ts',
    find: 'return done.promise',
    replace: 'return Promise.resolve(true)',
    tests: ['services/cdc-indexer/src/capture'],
  },
  {
    name: 'capture: a lost lock does not stop what is held',
    file: 'services/cdc-indexer/src/capture/capture-session.ts',
    find: "backlog.abandon(storeUnavailable('mysql', new Error('the capture lock is lost')))",
    replace: 'void storeUnavailable',
    tests: ['services/cdc-indexer/src/capture'],
  },
]
