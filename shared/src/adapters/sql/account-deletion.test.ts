import { accountDeletionSuite } from '../../testing/account-deletion-suite'

accountDeletionSuite('sqlite')
