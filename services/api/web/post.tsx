import type { Comment, Post, User } from '@sns/client'
import { tell, useChanges } from './changes'
import { CommentComposer } from './composer'
import { sns, usePage } from './context'
import { Folded } from './folded'
import { List, Unfound, useOne, usePages } from './pages'
import { People } from './people'
import { Byline, DeleteButton, PostCard } from './posts'
import { navigate } from './router'
import { Text } from './text'
import { useTitle } from './title'

/** One post with its comments, and who likes it. */
export function PostPage({ id }: { readonly id: string }) {
  const { t, me, attempt } = usePage()
  const {
    value: post,
    setValue,
    problem,
    retry,
  } = useOne<Post>(`post ${id}`, () => sns.readPost({ id }))
  const comments = usePages<Comment>(`comments ${id}`, (page, signal) =>
    sns.listComments({ id, ...page }, { signal }),
  )
  const likers = usePages<User>(`likers ${id} ${post?.counts.likes}`, (page, signal) =>
    sns.listLikers({ id, ...page }, { signal }),
  )
  useTitle(post ? `${post.author.displayName}: ${beginning(post.text)}` : t.onePost)
  useChanges(me.id, (change) => {
    if (!post) return
    const count = (by: number) =>
      setValue({ ...post, counts: { ...post.counts, comments: post.counts.comments + by } })
    switch (change.kind) {
      case 'changed':
        if (change.post.id === id) setValue(change.post)
        break
      case 'deleted':
        if (change.post === id) navigate('/')
        break
      case 'commented': {
        const { comment } = change
        if (comment.postId !== id) break
        comments.update((items, isEnd) => {
          const others = items.filter((each) => each.id !== comment.id)
          return isEnd ? [...others, comment] : items
        })
        count(1)
        break
      }
      case 'uncommented':
        if (change.comment.postId !== id) break
        comments.update((items) => items.filter((each) => each.id !== change.comment.id))
        count(-1)
    }
  })
  if (problem) return <Unfound problem={problem} retry={retry} />
  if (!post) return <p class="quiet">{t.loading}</p>

  async function remove(comment: Comment) {
    const done = await attempt(async () => {
      await sns.deleteComment({ id: comment.id })
      return true
    })
    if (done) tell(me.id, { kind: 'uncommented', comment })
  }

  return (
    <>
      <h1 tabIndex={-1}>{t.onePost}</h1>
      <PostCard post={post} isWhole />
      <h2>{t.comments(post.counts.comments)}</h2>
      <List
        pages={comments}
        empty=""
        label={t.comments(post.counts.comments)}
        show={(comment) => (
          <article class="post">
            <Byline author={comment.author} at={comment.createdAt} />
            <Folded>
              <Text text={comment.text} entities={comment.entities} />
            </Folded>
            {comment.author.id === me.id && <DeleteButton act={() => remove(comment)} />}
          </article>
        )}
      />
      <CommentComposer
        postId={id}
        onComment={(comment) => tell(me.id, { kind: 'commented', comment })}
      />
      {post.counts.likes > 0 && (
        <>
          <h2>{t.likes(post.counts.likes)}</h2>
          <People pages={likers} empty={t.nobody} label={t.likes(post.counts.likes)} />
        </>
      )}
    </>
  )
}

/** Enough of a text to know it by, on one line. */
function beginning(text: string): string {
  const points = Array.from(text.replace(/\s+/g, ' '))
  return points.length <= 60 ? points.join('') : `${points.slice(0, 59).join('')}…`
}
