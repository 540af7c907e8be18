#!/bin/sh
# Starts Redis with the password of its secret, and as much memory as the container leaves it.
# Timelines and caches may be lost at any moment: nothing is written to disk, and when memory is short the
# keys that were not used lately go first.
set -eu
secret=${SECRET:-/run/secrets/redis-password}
limit=$(cat "${LIMIT:-/sys/fs/cgroup/memory.max}" 2>/dev/null || echo max)
# A third is for connections and for what the allocator cannot use.
case $limit in
  max) memory=1gb ;;
  *) memory=$((limit / 3 * 2)) ;;
esac
# By its input: what stands on a command line is for everybody to read.
exec redis-server - <<CONFIG
save ""
appendonly no
requirepass $(cat "$secret")
maxmemory $memory
maxmemory-policy allkeys-lru
${MORE:-}
CONFIG
