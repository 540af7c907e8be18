declare module '*.gz' {
  /** Where the file is, in the checkout or inside the executable. */
  const path: string
  export default path
}
