# Unpacks Debian packages for another architecture without running anything of it.
# usage: system-packages.sh ARCHITECTURE TIME PACKAGE...   (TIME: of every file, seconds since 1970)
# /mnt/target is the target base's root (read-only). Writes /out/root (new files and the package database), or,
# when a package brings maintainer scripts, /out/scripts (their names) and nothing else.
set -eu
architecture=$1
time=$2
shift 2
target=/mnt/target
root=/out/root
state=/var/lib/tgo-apt/$architecture
cache=/var/cache/tgo-apt/$architecture
mkdir -p "$root/var/lib" "$root/usr" "$state/lists/partial" "$cache/archives/partial"
cp -a "$target/var/lib/dpkg" "$root/var/lib/dpkg"
# Merged /usr: packages that still ship /lib must land where the target's links point.
for link in bin sbin lib lib32 lib64; do
  if [ -L "$target/$link" ]; then cp -a "$target/$link" "$root/$link" && mkdir -p "$root/usr/$link"; fi
done

apt() {
  apt-get -qq -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" \
    -o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Debug::NoLocking=true \
    -o Dir::Etc="$target/etc/apt" -o Dir::State="$state" -o Dir::State::status="$root/var/lib/dpkg/status" \
    -o Dir::Cache="$cache" ${SSL_CERT_FILE:+-o Acquire::https::CaInfo="$SSL_CERT_FILE"} "$@"
}
apt update
apt --yes --download-only install "$@"
# The download leaves nothing to print; the plan comes from a second, empty cache.
apt --print-uris -o Dir::Cache::archives=/nonexistent --yes install "$@" | cut -d' ' -f2 >/tmp/debs

for deb in $(cat /tmp/debs); do
  if dpkg-deb --ctrl-tarfile "$cache/archives/$deb" | tar -t | grep -qE '^(\./)?(preinst|postinst)$'; then
    dpkg-deb -f "$cache/archives/$deb" Package >>/out/scripts
  fi
  dpkg-deb --show --showformat='${Package}:${Architecture}\n' "$cache/archives/$deb" | sed 's/:all$//' >>/tmp/packages
done
if [ -e /out/scripts ]; then
  rm -rf "$root"
  exit 0
fi
if [ -s /tmp/debs ]; then
  (cd "$cache/archives" && xargs dpkg --root="$root" --log=/dev/null --force-architecture --force-depends \
    --no-triggers --force-unsafe-io --unpack </tmp/debs >/dev/null)
  # By name: "pending" would include packages of the base that wait for a trigger, and run their scripts.
  xargs dpkg --root="$root" --log=/dev/null --force-architecture --force-depends --no-triggers --configure \
    </tmp/packages >/dev/null
fi
# The one trigger of such packages is ldconfig's, which the build runs itself.
sed -i -e 's/^Status: install ok triggers-\(pending\|awaited\)$/Status: install ok installed/' \
  -e '/^Triggers-\(Pending\|Awaited\):/d' "$root/var/lib/dpkg/status"

# Keep only what is new.
for link in bin sbin lib lib32 lib64; do if [ -L "$root/$link" ]; then rm "$root/$link"; fi; done
cd "$root/var/lib/dpkg"
rm -rf lock lock-frontend status-old available-old triggers updates parts alternatives diversions-old statoverride-old
find . -type f ! -name status | while read -r file; do
  if cmp -s "$file" "$target/var/lib/dpkg/$file"; then rm "$file"; fi
done
find "$root" -depth -type d -empty -delete
find "$root" -exec touch --no-dereference --date="@$time" {} +
