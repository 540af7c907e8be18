/** A page and what it loads. */
declare module '*.html' {
  const page: {
    /** The file of the page itself: its source, or in an executable the bundled one. */
    readonly index: string
    /** In an executable: everything that was bundled. */
    readonly files?: readonly { readonly path: string; readonly loader: string }[]
  }
  export default page
}
