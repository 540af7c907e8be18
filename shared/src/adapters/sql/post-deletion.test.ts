import { postDeletionConformance } from '../../testing/post-deletion-conformance'

postDeletionConformance('sqlite')
