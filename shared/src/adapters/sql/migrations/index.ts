import type { Migration } from 'kysely/migration'
import { foundation } from './2026-11-23-foundation'
import { imports } from './2026-11-23-imports'
import { sessions } from './2026-11-24-sessions'
import { accountDeletions } from './2026-11-27-account-deletions'
import { freshness } from './2026-11-27-freshness'
import { lanes } from './2026-11-27-lanes'
import { captureProof } from './2026-11-28-capture-proof'
import { snapshots } from './2026-11-28-snapshots'
import { tagsAndNotifications } from './2026-11-28-tags-and-notifications'
import { threads } from './2026-11-28-threads'
import { importedNotes } from './2026-11-30-imported-notes'
import { keyedComments } from './2026-11-30-keyed-comments'
import { notificationPlaces } from './2026-11-30-notification-places'
import { postDeletions } from './2026-11-30-post-deletions'
import { tagKeys } from './2026-11-30-tag-keys'
import { logSources } from './2026-12-01-log-sources'
import { mysqlPrimary } from './2026-12-01-mysql-primary'
import { unreadTables } from './2026-12-01-unread-tables'
import { waitingPosts } from './2026-12-01-waiting-posts'
import { sourceEpochs } from './2026-12-01-writers-epochs'
import { writtenTopics } from './2026-12-01-written-topics'
import type { DialectKind } from './table'

/** All migrations in their order, imported statically so that a compiled binary has them. */
export function migrationsFor(kind: DialectKind): Readonly<Record<string, Migration>> {
  return {
    '2026-11-23-foundation': foundation(kind),
    '2026-11-23-imports': imports(kind),
    '2026-11-24-sessions': sessions(kind),
    '2026-11-27-account-deletions': accountDeletions(kind),
    '2026-11-27-freshness': freshness(kind),
    '2026-11-27-lanes': lanes(kind),
    '2026-11-28-capture-proof': captureProof(kind),
    '2026-11-28-snapshots': snapshots(kind),
    '2026-11-28-tags-and-notifications': tagsAndNotifications(kind),
    '2026-11-28-threads': threads(kind),
    '2026-11-30-imported-notes': importedNotes(kind),
    '2026-11-30-keyed-comments': keyedComments(kind),
    '2026-11-30-notification-places': notificationPlaces(kind),
    '2026-11-30-post-deletions': postDeletions(kind),
    '2026-11-30-tag-keys': tagKeys(kind),
    '2026-12-01-log-sources': logSources(kind),
    '2026-12-01-mysql-primary': mysqlPrimary(kind),
    '2026-12-01-unread-tables': unreadTables(kind),
    '2026-12-01-waiting-posts': waitingPosts(kind),
    '2026-12-01-writers-epochs': sourceEpochs(kind),
    '2026-12-01-written-topics': writtenTopics(kind),
  }
}
