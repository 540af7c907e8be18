import type { Comment, Post, User } from '@sns/client'
import { CommentComposer } from './composer'
import { sns, usePage } from './context'
import { List, Problem, useOne, usePages } from './pages'
import { People } from './people'
import { Byline, DeleteButton, PostCard } from './posts'
import { navigate } from './router'
import { Text } from './text'

/** One post with its comments, and who likes it. */
export function PostPage({ id }: { readonly id: string }) {
  const { t, me, attempt } = usePage()
  const { value: post, setValue, problem, retry } = useOne<Post>(id, () => sns.readPost({ id }))
  const comments = usePages<Comment>(`comments ${id}`, (cursor, signal) =>
    sns.listComments({ id, cursor }, { signal }),
  )
  const likers = usePages<User>(`likers ${id} ${post?.counts.likes}`, (cursor, signal) =>
    sns.listLikers({ id, cursor }, { signal }),
  )
  if (problem) return <Problem text={problem} retry={retry} />
  if (post?.id !== id) return <p class="quiet">{t.loading}</p>

  const count = (by: number) =>
    setValue({ ...post, counts: { ...post.counts, comments: post.counts.comments + by } })
  async function remove(comment: Comment) {
    const done = await attempt(async () => {
      await sns.deleteComment({ id: comment.id })
      return true
    })
    if (!done) return
    comments.update((items) => items.filter((each) => each.id !== comment.id))
    count(-1)
  }

  return (
    <>
      <h1 tabIndex={-1}>{t.onePost}</h1>
      <PostCard post={post} onChange={setValue} onDelete={() => navigate('/')} />
      <h2>{t.comments(post.counts.comments)}</h2>
      <List
        pages={comments}
        empty=""
        label={t.comments(post.counts.comments)}
        show={(comment) => (
          <article class="post">
            <Byline author={comment.author} at={comment.createdAt} />
            <Text text={comment.text} entities={comment.entities} />
            {comment.author.id === me.id && <DeleteButton act={() => remove(comment)} />}
          </article>
        )}
      />
      <CommentComposer
        postId={id}
        onComment={(comment) => {
          comments.update((items, isEnd) => {
            const others = items.filter(({ id }) => id !== comment.id)
            return isEnd ? [...others, comment] : items
          })
          count(1)
        }}
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
