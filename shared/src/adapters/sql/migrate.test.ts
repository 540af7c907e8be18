import { migrationConformance } from '../../testing/migration-conformance'

migrationConformance('sqlite')
