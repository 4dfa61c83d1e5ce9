# Puts a package manager of an exact version into PREFIX, unless the image has that one:
#   manager.sh PREFIX NAME VERSION [ALGORITHM HASH]
# The hash is of the package as the registry has it, as in package.json's packageManager. Exit code 65: another one.
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
