#!/bin/sh
# Writes the run-time configuration the page reads, then becomes the server.
set -eu

quoted() {
  printf '%s' "$1" | tr -d '\r\n' | sed 's/[\\"]/\\&/g; s/.*/"&"/'
}

{
  echo 'window.ENV = {'
  if [ -n "${VITE_API_BASE_URL:-}" ]; then
    printf '  VITE_API_BASE_URL: %s,\n' "$(quoted "$VITE_API_BASE_URL")"
  fi
  echo '};'
} > /usr/share/nginx/html/env-config.js

exec "$@"
