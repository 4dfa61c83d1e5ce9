# Runs yarn with a cache that outlives the container. Yarn 1 copies from it what is there, whole or not: packages whose
# files have other sizes than when yarn left them, after a full disk or a power cut, are removed first.
# usage: run-yarn.sh CACHE COMMAND...
set -eu
cache=$1
shift
mkdir -p "$cache"
cd "$cache"
# Yarn's cache does not support concurrent use.
exec 9>.lock
flock 9

# Number and size of the files of each package: "v6/npm-left-pad-1.3.0-... 9 8123".
measure() {
  find . -mindepth 3 -type f -exec stat -c '%s %n' {} + |
    awk '{ size = $1; sub(/^[0-9]+ \.\//, ""); split($0, part, "/"); name = part[1] "/" part[2]
           files[name]++; bytes[name] += size }
         END { for (name in files) print name, files[name], bytes[name] }'
}

measure | awk -v known=.sizes '{ now[$0] }
  END { while ((getline line < known) > 0) { seen[line]; if (!(line in now)) print line }
        for (line in now) if (!(line in seen)) print line }' |
  sed -n 's|^\(v[0-9]*/[^/.][^/]*\) [0-9]* [0-9]*$|\1|p' | while read -r name; do rm -rf "./$name"; done

code=0
(cd "$OLDPWD" && exec "$@" 9>&-) || code=$?
measure >.sizes.new
mv .sizes.new .sizes
exit "$code"
