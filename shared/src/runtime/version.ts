import { version } from '../../../package.json'

/** Of the whole suite. */
export const VERSION: string = version
