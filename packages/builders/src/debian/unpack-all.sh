# Unpacks Debian packages for several architectures at once.
# usage: unpack-all.sh TIME ARCHITECTURE...
# In and out: for each architecture as in unpack-packages.sh; with several also
# Out: /out/shared       files that are the same for all, taken out of each root; see share-files.sh
set -eu
time=$1
shift
if [ $# -gt 1 ]; then
  # Packages of architecture "all" are decompressed once: dpkg calls dpkg-deb, as found in PATH, for a package's files.
  mkdir -p /tmp/bin /tmp/data
  cat >/tmp/bin/dpkg-deb <<'EOF'
#!/bin/sh
case "$1 $2" in
  "--fsys-tarfile "*_all.deb)
    data=/tmp/data/${2##*/}
    (
      flock 9
      if [ ! -e "$data" ]; then /usr/bin/dpkg-deb "$@" >"$data.part" && mv "$data.part" "$data"; fi
    ) 9>"$data.lock"
    exec cat "$data"
    ;;
esac
exec /usr/bin/dpkg-deb "$@"
EOF
  chmod 755 /tmp/bin/dpkg-deb
fi
running=
for architecture; do
  PATH=/tmp/bin:$PATH sh /run/tgo/unpack-packages.sh "$time" "$architecture" &
  running="$running $!"
done
for process in $running; do wait "$process"; done
if [ $# -gt 1 ]; then sh /run/tgo/share-files.sh "$time" "$@"; fi
rm -rf /tmp/bin /tmp/data
