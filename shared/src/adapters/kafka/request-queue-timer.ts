import RequestQueue from 'kafkajs/src/network/requestQueue'

/**
 * kafkajs 2.2.4 sets a timer after every answer, also with nothing to do, for a time that has passed:
 * each connection then wakes a thousand times a second for ever (6 % of a core for one idle consumer,
 * 1.3 % without) and the runtime warns of the negative time. Set it only while requests wait.
 */
export function quietRequestQueueTimer(): void {
  if (patched) return
  patched = true
  const schedule = RequestQueue.prototype.scheduleCheckPendingRequests
  RequestQueue.prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0) schedule.call(this)
  }
}

let patched = false
