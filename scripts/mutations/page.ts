import type { Mutation } from './mutation'

const WEB = 'services/api/web'
const [BUTTONS, DRAFTS, PAGES] = ['buttons', 'drafts', 'pages'].map((name) => [
  `tests/embedded/web-${name}.test.ts`,
]) as [string[], string[], string[]]

/** Of the web page; their tests need a Chromium. */
export const PAGE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'page: mute does nothing',
    file: `${WEB}/profile.tsx`,
    find: 'viewer.muted ? sns.unmuteUser({ username }) : sns.muteUser({ username })',
    replace: 'Promise.resolve()',
    tests: BUTTONS,
  },
  {
    name: 'page: unfollow does nothing',
    file: `${WEB}/profile.tsx`,
    find: 'viewer.following ? sns.unfollowUser({ username }) :',
    replace: 'viewer.following ? Promise.resolve() :',
    tests: BUTTONS,
  },
  {
    name: 'page: a comment is not deleted',
    file: `${WEB}/post.tsx`,
    find: '      await sns.deleteComment({ id: comment.id })\n',
    replace: '',
    tests: BUTTONS,
  },
  {
    name: 'page: a session is not ended',
    file: `${WEB}/settings.tsx`,
    find: '      await sns.endSession({ id })\n',
    replace: '',
    tests: BUTTONS,
  },
  {
    name: 'page: each try has a key of its own',
    file: `${WEB}/drafts.ts`,
    find: 'key: isOther ? randomKey() : draft.key',
    replace: 'key: isOther ? draft.key : randomKey()',
    tests: DRAFTS,
  },
  {
    name: 'page: drafts outlive a sign-out',
    file: `${WEB}/context.ts`,
    find: '  forgetDrafts()\n',
    replace: '',
    tests: DRAFTS,
  },
  {
    name: 'page: Back loses the place',
    file: `${WEB}/app.tsx`,
    find: 'if (y !== null) scrollTo({ top: y })',
    replace: 'if (y !== null) scrollTo({ top: 0 })',
    tests: PAGES,
  },
  {
    name: 'page: an error stays after the next success',
    file: `${WEB}/app.tsx`,
    find: '          succeed()\n',
    replace: '',
    tests: PAGES,
  },
]
