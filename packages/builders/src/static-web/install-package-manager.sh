# Installs an exact version of a package manager into PREFIX, unless the image already has it.
# usage: install-package-manager.sh PREFIX NAME VERSION [ALGORITHM HASH]
# HASH is that of the package on the registry, as in packageManager of package.json. Exit code 65: the hash differs.
set -eu
prefix=$1 name=$2 version=$3 algorithm=${4:-} expected=${5:-}

if command -v "$name" >/dev/null && [ "$("$name" --version 2>/dev/null)" = "$version" ]; then
  exit 0
fi

what=$name@$version
if [ -n "$algorithm" ]; then
  mkdir -p /tmp/tgo-manager
  cd /tmp/tgo-manager
  npm pack --loglevel=error "$what" >/dev/null
  set -- *.tgz
  actual=$(node -p 'crypto.createHash(process.argv[1]).update(fs.readFileSync(process.argv[2])).digest("hex")' \
    "$algorithm" "$1")
  if [ "$actual" != "$expected" ]; then
    echo "$algorithm.$actual" >&2
    exit 65
  fi
  what=$PWD/$1
fi
npm install --global --prefix "$prefix" --no-audit --no-fund --no-update-notifier --loglevel=error "$what"
