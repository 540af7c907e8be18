import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type HtmlMention, htmlText } from './html-text'

const named = ({ href, label }: HtmlMention) => `${label}@${new URL(href).host}`
const text = (html: string) => htmlText(html, named).text

describe('the text of HTML', () => {
  test.each([
    ['<p>one</p><p>two</p>', 'one\n\ntwo'],
    ['<p>one</p>\n  <p>two</p>', 'one\n\ntwo'],
    ['one<br>two<br /><br/>three<br></p><p>four', 'one\ntwo\n\nthree\n\nfour'],
    ['<p>one<br></p><p>two</p>', 'one\n\ntwo'],
    ['<p></p><p>one</p><p></p>', 'one'],
    ['<ul><li>one</li><li>two</li></ul>', '- one\n- two'],
    ['<p>a</p><ul><li>one<li>two</ul><p>b</p>', 'a\n\n- one\n- two\n\nb'],
    ['<ol><li>one</li><li>two</li></ol>', '1. one\n2. two'],
    ['<ol start="4"><li>one<ul><li>in</li></ul></li><li>two</li></ol>', '4. one\n  - in\n5. two'],
    ['<ul><li><p>one</p></li><li></li><li><p>two</p></li></ul>', '- one\n\n- two'],
    ['before<blockquote>one<br>two</blockquote>after', 'before\n\n> one\n> two\n\nafter'],
    ['<blockquote><p>a</p><blockquote>b</blockquote></blockquote>', '> a\n\n> > b'],
    ['<h1>Title</h1>text', 'Title\n\ntext'],
    ['<div>one</div><div>two</div>', 'one\ntwo'],
    ['<div><div>one</div></div>two', 'one\ntwo'],
    ['<pre><code>a  b\n  c\n\nd</code></pre>e', 'a  b\n  c\n\nd\n\ne'],
    ['<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>', 'a b\nc'],
    ['a\n  <b>b</b><i> c</i>d  e', 'a b cd e'],
    [
      '&lt;b&gt; &amp; &hellip; &nbsp;&#128075; &#x1F44B; &eacute; &quot;&apos; &amp;amp;',
      '<b> & …  👋 👋 é "\' &amp;',
    ],
    ['&copy &unknown; & &#0; &#x110000;', '© &unknown; & \ufffd \ufffd'],
    ['<img alt=":blob:" src=x>!<script>no()</script><style>no</style>', ':blob:!'],
    ['a <!-- no --> b <![CDATA[c]]>', 'a b'],
    ['1 < 2 <3 a<b', '1 < 2 <3 a'],
  ])('%s', (html, expected) => {
    expect(text(html)).toBe(expected)
  })

  test.each([
    ['<a href="https://ex.com/a">here</a>.', 'here (https://ex.com/a).', 1],
    ['<a href="https://ex.com/a">https://ex.com/a</a>', 'https://ex.com/a', 0],
    [
      '<a href="https://www.ex.com/a/long"><span class="invisible">https://www.</span><span class="ellipsis">ex.com/a</span><span class="invisible">/long</span></a>',
      'https://www.ex.com/a/long',
      0,
    ],
    ['<a href="https://ex.com/a/long">ex.com/a…</a>', 'https://ex.com/a/long', 0],
    ['<a href="https://ex.com/">ex.com</a>', 'https://ex.com/', 0],
    [
      '<a href="https://evil.example/">https://bank.example/</a>',
      'https://bank.example/ (https://evil.example/)',
      1,
    ],
    ['<a href="https://ex.com"></a>', 'https://ex.com', 0],
    ['<a href="/x">rel</a> <a>none</a> <a href="mailto:a@b.c">a@b.c</a>', 'rel none a@b.c', 0],
    ['<a href="javascript:x()">js</a>', 'js', 0],
    ['a<a href="https://ex.com/b"> b </a>c', 'a b (https://ex.com/b) c', 1],
    ['<a href="https://ex.com/b">b', 'b (https://ex.com/b)', 1],
    ['<a href="https://x.y/tags/a" class="mention hashtag" rel="tag">#<span>a</span></a>', '#a', 0],
    ['<a href="https://x.y/@ada" class="u-url mention">@<span>ada</span></a>님', '@ada@x.y님', 0],
  ])('%s says where it leads', (html, expected, targets) => {
    expect(htmlText(html, named)).toEqual({ text: expected, targets })
  })

  test('holds every word of whatever HTML, and none is run together with another', () => {
    const tag = fc.constantFrom('p', 'div', 'li', 'ul', 'blockquote', 'h1', 'br', 'pre', 'td')
    fc.assert(
      fc.property(fc.array(fc.tuple(tag, fc.boolean()), { maxLength: 30 }), (tags) => {
        const html = tags
          .map(([name, ends], at) => `<${name}>word${at}x${ends ? `</${name}>` : ''}`)
          .join('')
        const found = text(html)
          .split(/[\s>-]+|\d\. /)
          .filter((each) => each !== '')
        expect(found).toEqual(tags.map((_, at) => `word${at}x`))
      }),
    )
  })

  test.each([
    ...[
      '<',
      '<a',
      '<div>',
      '<p>',
      '<li>',
      '<ul><li>',
      '<blockquote>a<br>b',
      '<a href="https://x.y">',
      '&',
      '&a',
    ],
    ...[
      '<!--',
      '<![CDATA[',
      '<script>',
      '</b>',
      '<a href="',
      '<pre>\n',
      '<br>',
      ' ',
      '&nbsp;',
      '<td>',
    ],
  ])('comes of 40,000 characters of %j', (piece) => {
    expect(text(piece.repeat(40_000 / piece.length)).length).toBeLessThan(400_000)
  })
})
