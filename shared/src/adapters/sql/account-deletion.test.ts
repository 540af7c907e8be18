import { accountDeletionConformance } from '../../testing/account-deletion-conformance'

accountDeletionConformance('sqlite')
