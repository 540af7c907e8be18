#!/bin/sh
# Names every secret that is missing or too short, with what to do.
bad=0
check() {
  value=$(printenv "$1")
  if [ ${#value} -lt "$2" ]; then
    echo "preflight: $1 needs $2 characters or more: set it in .env, for example to the output of: openssl rand -hex 24" >&2
    bad=1
  fi
  case $value in
    *[!A-Za-z0-9._~-]*)
      echo "preflight: $1 has characters that would have to be escaped in a URL: use letters, digits and . _ ~ - only" >&2
      bad=1 ;;
  esac
}
check MYSQL_ROOT_PASSWORD 12
check MYSQL_PASSWORD 12
check REDIS_PASSWORD 12
check ES_PASSWORD 12
check GRAFANA_PASSWORD 12
check SECRET_KEY 32
[ "$bad" = 0 ] && echo 'preflight: every secret is set'
exit "$bad"
