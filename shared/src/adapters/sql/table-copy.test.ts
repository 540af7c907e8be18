import { tableCopyConformance } from '../../testing/table-copy-conformance'

tableCopyConformance('sqlite')
