/**
 * How an operator moves capture past what it cannot read or no longer finds, said the same way
 * everywhere. What was not captured is missing from all that is made from the log.
 */
export const MOVE_ON =
  'to go on from now: stop capture, run "UPDATE capture_checkpoint SET gtid_set = ' +
  '@@GLOBAL.gtid_executed, server_id = @@GLOBAL.server_uuid, epoch = epoch + 1", start it, then ' +
  'rebuild the search index from the tables and empty Redis, whose timelines lack the posts in between'
