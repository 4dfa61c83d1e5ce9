# Moves the larger files of packages of architecture "all" out of several roots: they come from the same packages, so images
# of all architectures can share a layer with them.
# usage: share-files.sh TIME ARCHITECTURE...
# In:  /mnt/target/ARCHITECTURE, /run/tgo/packages/ARCHITECTURE: as in unpack-packages.sh
# Out: /out/shared      the files, and the directories they are in
set -eu
export LC_ALL=C.UTF-8
time=$1
shift
smallest=16384
mkdir -p /out/shared /tmp/share
cd /tmp/share

# Lines of those that occur for all architectures.
common() { sort "$@" | uniq -c | awk -v all=$# '$1 == all { sub(/^ *[0-9]+ /, ""); print }'; }

# "SIZE MODE USER GROUP TIME PATH" of the files that were unpacked for the first time, and are reached through no link.
for architecture; do
  target=/mnt/target/$architecture
  sed -n 's/^unpack \([^_]*\)_.*_all\.deb$/\1/p' "/run/tgo/packages/$architecture/order" | sort -u | while read -r package; do
    if ! grep -qFx "$package" "/tmp/$architecture/upgraded"; then cat "$target/var/lib/dpkg/info/$package.list"; fi
  done | sed -n 's|^/usr/|usr/|p' >paths
  (cd "$target" && xargs -rd '\n' stat --format '%s %f %u %g %Y %n' <"$OLDPWD/paths" 2>/dev/null || true) |
    awk -v smallest=$smallest '$1 >= smallest && $2 ~ /^8/' >"stat-$architecture"
done
common stat-* | cut -d' ' -f6- >candidates
for architecture; do
  target=/mnt/target/$architecture
  (cd "$target" && xargs -rd '\n' realpath -- <"$OLDPWD/candidates") | sed "s|^$target/||" >real
  (cd "$target" && paste -d '\n' "$OLDPWD/candidates" "$OLDPWD/real" | awk 'NR % 2 { path = $0; next } $0 == path' |
    xargs -rd '\n' sha256sum) >"sum-$architecture"
done
common sum-* | cut -c67- | sort >files
if [ ! -s files ]; then exit 0; fi
awk '{ n = split($0, part, "/"); path = part[1]
  for (i = 2; i <= n; i++) { if (!(path in seen)) { seen[path]; print path }; path = path "/" part[i] } }' files | sort >folders

tar -C "/mnt/target/$1" --no-recursion --verbatim-files-from -cf - -T folders -T files |
  tar -C /out/shared -xpf - --numeric-owner
# Not the times of the first root's directories: the layer is the same whatever the bases.
find /out/shared -type d -exec touch --date="@$time" {} +
# The directories that are changed had this time already: files were unpacked into them.
sed 's|/[^/]*$||' files | sort -u >changed
for architecture; do
  (cd "/mnt/target/$architecture" && xargs -rd '\n' rm -- <"$OLDPWD/files" &&
    xargs -rd '\n' touch --no-dereference --date="@$time" -- <"$OLDPWD/changed")
done
