import type { Mutation } from './mutation'

const ENTITIES = 'shared/src/domain/entities'
const ADDRESS = 'shared/src/domain/web-address.ts'
const ENTITY_TESTS = [`${ENTITIES}.test.ts`]

/** Of what texts name and show, of archives, and of ids. */
export const TEXT_MUTATIONS: readonly Mutation[] = [
  {
    name: 'texts: a longer name of another place names somebody here',
    file: `${ENTITIES}.ts`,
    find: 'return endOf(OTHERS_NAME, text, at + 1 + username.length) === null ? username : null',
    replace: 'return username',
    tests: ENTITY_TESTS,
  },
  {
    name: 'texts: an address of mail names somebody',
    file: `${ENTITIES}.ts`,
    find: "const username = left === 'open' ? usernameAt(text, at) : null",
    replace: "const username = left !== 'word' ? usernameAt(text, at) : null",
    tests: ENTITY_TESTS,
  },
  {
    name: 'texts: a keycap begins a tag',
    file: `${ENTITIES}.ts`,
    find: '([\\p{L}\\p{N}_](?:[',
    replace: '([\\p{L}\\p{M}\\p{N}_](?:[',
    tests: ENTITY_TESTS,
  },
  {
    name: 'texts: nobody is named after a keycap',
    file: `${ENTITIES}.ts`,
    find: "pass(keycap, 'open')",
    replace: "pass(keycap, 'word')",
    tests: ENTITY_TESTS,
  },
  {
    name: 'texts: a tag is found within a query',
    file: `${ENTITIES}.ts`,
    find: 'const NO_TAG_AFTER = /[&/=]/',
    replace: 'const NO_TAG_AFTER = /[&/]/',
    tests: ENTITY_TESTS,
  },
  {
    name: 'texts: a link shows another host than it leads to',
    file: ADDRESS,
    find: '    endOf(USER, text, hostEnd) === null\n',
    replace: '    hostEnd >= 0\n',
    tests: ENTITY_TESTS,
  },
  {
    name: 'texts: a bracket around a link belongs to it',
    file: ADDRESS,
    find: 'if (!isExtra && !CLOSING.has(last)) break',
    replace: 'if (!CLOSING.has(last)) break',
    tests: ENTITY_TESTS,
  },
  {
    name: 'texts: what shows nothing passes',
    file: 'shared/src/domain/text.ts',
    find: "if (showsNothing(text)) return { ok: false, problem: 'blank' }",
    replace: "if (text === '') return { ok: false, problem: 'blank' }",
    tests: ['shared/src/domain/text.test.ts'],
  },
  {
    name: 'archive: home notes are public',
    file: 'scripts/import/misskey-notes.ts',
    find: "if (note.visibility !== 'public' || note.localOnly === true) return 'not public'",
    replace: "if (note.visibility === 'specified') return 'not public'",
    tests: ['scripts/import/archive.test.ts'],
  },
  {
    name: 'archive: a mention names somebody here',
    file: 'scripts/import/archived-post.ts',
    find: "cleanText(namingNobody(parts.join('\\n\\n')), POST_TEXT_MAX)",
    replace: "cleanText(parts.join('\\n\\n'), POST_TEXT_MAX)",
    tests: ['scripts/import/archive.test.ts'],
  },
  {
    name: 'archive: a hidden text is published without its warning',
    file: 'scripts/import/archived-post.ts',
    find: 'const parts = [warning, text, list]',
    replace: 'const parts = [text, list]',
    tests: ['scripts/import/archive.test.ts'],
  },
  {
    name: 'archive: a later one doubles what is here',
    file: 'shared/src/adapters/sql/bulk-loader.ts',
    find: 'const isFresh = !known.has(note) && !said.has(`${createdAt} ${text}`)',
    replace: 'const isFresh = !said.has(`${createdAt} ${text}`)',
    tests: ['shared/src/adapters/sql/bulk-loader.test.ts'],
  },
  {
    name: 'archive: what is of a time to come is loaded',
    file: 'scripts/import/times.ts',
    find: "return ms < now + DAY_MS ? ms : 'after tomorrow'",
    replace: 'return ms',
    tests: ['scripts/import/archive.test.ts'],
  },
  {
    name: 'ids: one past 2^53 is made',
    file: 'shared/src/domain/id.ts',
    find: 'if (Number.isSafeInteger(id) && id >= 0) return id as Id<Kind>',
    replace: 'if (id >= 0) return id as Id<Kind>',
    tests: ['shared/src/domain/id.test.ts'],
  },
  {
    name: 'ids: one that nobody can read stops the embedded log',
    file: 'shared/src/adapters/sqlite/change-log-table.ts',
    find: 'if (error instanceof UnreadableRowError) {',
    replace: 'if (error instanceof RangeError) {',
    tests: ['shared/src/adapters/sqlite/change-log.test.ts'],
  },
  {
    name: 'ids: one that nobody can read is passed over and not kept',
    file: 'shared/src/adapters/kafka/partition-worker.ts',
    find: 'if (letters.length > 0) await options.deadLetters.add(letters)',
    replace: 'void letters',
    tests: ['shared/src/adapters/kafka/partition-worker.test.ts'],
  },
]
