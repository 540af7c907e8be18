#!/bin/sh
# The image is read-only: its settings, and the keystore that its own start writes, are in memory.
set -eu
home=/usr/share/elasticsearch
export ES_PATH_CONF=/tmp/config
rm -rf "$ES_PATH_CONF"
cp -R "$home/config" "$ES_PATH_CONF"
# The log of garbage collections would fill that memory.
printf -- '-Xlog:disable\n-Xlog:all=warning:stderr:utctime,level,tags\n' > "$ES_PATH_CONF/jvm.options.d/log.options"
# The image itself takes a file only if nobody else may read it, which nobody else could be given then.
ELASTIC_PASSWORD=$(cat /run/secrets/es-password)
export ELASTIC_PASSWORD
exec /usr/local/bin/docker-entrypoint.sh eswrapper
