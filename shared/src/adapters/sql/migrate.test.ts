import { sqlMigrationSuite } from '../../testing/sql-migration-suite'

sqlMigrationSuite('sqlite')
