# Unpacks Debian packages into a root of any architecture, without running any of its programs.
# usage: unpack-packages.sh TIME ARCHITECTURE   (seconds since 1970, for files that would get the current time)
# In:  /mnt/target/ARCHITECTURE        the root, in which the preinst scripts have run
#      /run/tgo/packages/ARCHITECTURE  the output of download-packages.sh
# Out: /out/ARCHITECTURE/unfinished    packages with pending scripts or triggers, which run-maintainer-scripts.sh completes
set -eu
export LC_ALL=C.UTF-8
time=$1
architecture=$2
target=/mnt/target/$architecture
info=$target/var/lib/dpkg/info
packages=/run/tgo/packages/$architecture
work=/tmp/$architecture
mkdir -p "/out/$architecture" "$work/debs"
touch "$work/started" && sleep 0.05
# For share-files.sh.
(cd "$info" && ls -- *.list) | sed 's/\(:.*\)\{0,1\}\.list$//' >"$work/upgraded"

# Repacks a package without its preinst, which has already run. The ar archive has the members debian-binary (4 bytes),
# control and data, each after a header of 60 bytes and at an even offset. See deb(5).
without_preinst() { # FILE
  deb=$packages/debs/$1
  rm -rf "$work/control"
  dpkg-deb --control "$deb" "$work/control"
  rm "$work/control/preinst"
  tar --sort=name --owner=0 --group=0 --numeric-owner -C "$work/control" -cf "$work/control.tar" .
  size=$(head -c 130 "$deb" | tail -c 10)
  {
    head -c 72 "$deb"
    # tar writes whole records, so the size is even.
    printf '%-16s%-12s%-6s%-6s%-8s%-10s`\n' control.tar 0 0 0 100644 "$(stat -c %s "$work/control.tar")"
    cat "$work/control.tar"
    tail -c +$((72 + 60 + size + size % 2 + 1)) "$deb"
  } >"$work/debs/$1"
}
while read -r _ file _; do without_preinst "$file"; done <"$packages/preinst"

# apt has already resolved dependencies and order. If an old version conflicts, its new version follows.
run_dpkg() {
  xargs -r dpkg --root="$target" --log=/dev/null --force-architecture --force-unsafe-io --force-depends \
    --force-breaks --force-conflicts --force-confdef --force-confold --no-triggers "$@" >/dev/null
}
sed -n 's/^unpack //p' "$packages/order" | { grep -vxFf "$packages/target" || true; } | while read -r file; do
  if [ -e "$work/debs/$file" ]; then echo "$work/debs/$file"; else echo "$packages/debs/$file"; fi
done | run_dpkg --unpack
while read -r package _ kind; do
  script=$info/$package.preinst
  if [ -e "$info/$package:$kind.list" ]; then script=$info/$package:$kind.preinst; fi
  cp "$packages/control/$package/preinst" "$script"
  chmod 755 "$script"
done <"$packages/preinst"
sed -n 's/^configure //p' "$packages/order" | { grep -vxFf "$packages/scripts" || true; } | run_dpkg --configure

if [ -s "$packages/auto" ]; then cat "$packages/auto" >>"$target/var/lib/apt/extended_states"; fi
awk '/^Package: / { name = $2 }
  /^Status: / && !/ (installed|config-files|not-installed)$/ { print name }' \
  "$target/var/lib/dpkg/status" | sort -u >"/out/$architecture/unfinished"
rm -f "$target"/var/lib/dpkg/*-old
# Files keep the times from their packages; only files created here have the current time.
find "$target" -xdev -newer "$work/started" -print0 | xargs -0r touch --no-dereference --date="@$time"
