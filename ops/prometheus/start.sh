#!/bin/sh
# Starts Prometheus so that it asks every process of an api container: process n listens on port 8003 + n - 1.
set -eu
config=${CONFIG:-/tmp/prometheus.yml}
awk -v processes="${API_PROCESSES:-1}" '
  { print }
  / port: 8003,/ {
    for (n = 1; n < processes; n++) {
      line = $0
      sub(/port: 8003/, "port: " (8003 + n), line)
      print line
    }
  }
' "$(dirname "$0")/prometheus.yml" > "$config"
exec prometheus --config.file="$config" --storage.tsdb.path=/prometheus
