#!/bin/sh
# Tells the pages where the API is, then becomes nginx. Arguments are not used.
set -eu

address=$(printf '%s' "${VITE_API_BASE_URL:-}" | tr -d '\r\n' | sed 's/[\\"]/\\&/g')
printf 'window.ENV = { VITE_API_BASE_URL: "%s" };\n' "$address" > /usr/share/nginx/html/env-config.js

exec nginx -g "daemon off;"
