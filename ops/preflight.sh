#!/bin/sh
# Names every secret that is missing or too short, with what to do.
bad=0
check() {
  file=${SECRETS:-/run/secrets}/$1
  value=$(cat "$file" 2>/dev/null)
  if [ ${#value} -lt "$2" ]; then
    echo "preflight: secrets/$1 needs $2 characters or more, on one line: \`bun run init\` writes what is missing, or write the output of: openssl rand -hex 24" >&2
    bad=1
  fi
  case $value in
    *[!A-Za-z0-9._~-]*)
      echo "preflight: secrets/$1 has characters that some servers' settings would have to escape: use letters, digits and . _ ~ - only" >&2
      bad=1 ;;
  esac
}
check mysql-root-password 12
check redis-password 12
check es-password 12
check grafana-password 12
check secret-key 32
check operator-token 32
[ "$bad" = 0 ] && echo 'preflight: every secret is there'
exit "$bad"
