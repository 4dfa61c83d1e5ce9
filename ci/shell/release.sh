#!/usr/bin/env bash
# Releases TGO's images from any CI: Jenkins, Drone, a cron job, a terminal.
#
#   ci/shell/release.sh GIT_TAG SOURCE
#
# GIT_TAG is v1.2.3 for all services or tgo-api-v1.2.3 for one; SOURCE is a checkout of TGO at that tag. Needs Node.js,
# Docker (or Linux with root), and a Docker config.json with the registries' credentials, ~/.docker/config.json or
# REGISTRIES. Run it again to finish a release that failed or was stopped.
set -euo pipefail
if [ $# -ne 2 ] || [ -z "$1" ] || [ ! -d "$2" ]; then
  echo "usage: $0 GIT_TAG SOURCE" >&2
  exit 2
fi
git_tag=$1
source=$(cd "$2" && pwd)
cd "$(dirname "$0")/../.."
[ -d node_modules ] || npm ci
docker_config=${REGISTRIES:-$HOME/.docker/config.json}
exec npx --no-install tgo release --catalog catalogs/tgo-2026.json --git-tag "$git_tag" --source "$source" \
  --docker-config "file:$docker_config" --report release.html,release.json
