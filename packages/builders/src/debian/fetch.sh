# Plans and downloads Debian packages for a root of any architecture, with the apt of this machine's.
# usage: fetch.sh ARCHITECTURE OTHER-ARCHITECTURE PACKAGE...
# In:  /mnt/target       root of the base image (read-only): its package database and apt sources decide
#      /run/tgo/apt      its /etc/apt with other sources, where there are mirrors
#      /var/cache/tgo    cache volume: package lists by sources, packages of all architectures
# Out: /out/debs/*.deb   what is to be installed, checked against the signed lists
#      /out/order        "unpack FILE" and "configure PACKAGE" lines, in the order that apt would give to dpkg
#      /out/auto         packages nobody asked for, as /var/lib/apt/extended_states has them
#      /out/preinst      "PACKAGE FILE ARCHITECTURE": its preinst runs before anything is unpacked
#      /out/target       "FILE": only dpkg in the target itself can unpack it
#      /out/scripts      "PACKAGE": has a postinst, or is unpacked in the target
#      /out/native       for a foreign target: what its shell scripts call most, as programs of this machine
set -eu
export LC_ALL=C.UTF-8
architecture=$1
other=$2
shift 2
target=/mnt/target
etc=/run/tgo/apt
[ -d $etc ] || etc=$target/etc/apt
cache=/var/cache/tgo
archives=$cache/archives
mkdir -p /out/debs "$archives/partial" /tmp/apt
touch /out/order /out/auto /out/preinst /out/target /out/scripts

# One folder of lists for each set of sources; the lists are as large as many a service's packages.
sources=$(cat $etc/sources.list $etc/sources.list.d/* 2>/dev/null | sha256sum | cut -c1-16)

apt() { # ARCHITECTURE COMMAND ARGUMENT...
  lists=$cache/lists/$sources-$1
  for_architecture=$1
  command=$2
  shift 2
  # Set here whatever a base may have set otherwise: official ones keep no caches and have apt delete its downloads.
  "$command" -qq -o APT::Architecture="$for_architecture" -o APT::Architectures="$for_architecture" \
    -o APT::Install-Recommends=false -o APT::Install-Suggests=false -o APT::Sandbox::User=root \
    -o APT::Update::Error-Mode=any -o APT::Get::Remove=false -o Acquire::Retries=2 -o Acquire::Languages=none \
    -o Acquire::GzipIndexes=false -o Acquire::PDiffs=false -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 \
    -o Debug::NoLocking=true -o Dir::Etc="$etc" -o Dir::State="$lists" -o Dir::State::lists="$lists/lists" \
    -o Dir::State::status="$target/var/lib/dpkg/status" -o Dir::Cache=/tmp/apt \
    -o Dir::Cache::archives="$archives" -o Dir::Cache::pkgcache="/tmp/apt/$for_architecture.bin" \
    -o Dir::Cache::srcpkgcache="$lists/srcpkgcache.bin" \
    ${SSL_CERT_FILE:+-o Acquire::https::CaInfo="$SSL_CERT_FILE"} "$@"
}

# Builds of several services share the lists: one that was updated within the last minute is as good as new.
update() { # ARCHITECTURE
  state=$cache/lists/$sources-$1
  mkdir -p "$state/lists/partial"
  if [ -z "$(find "$state/updated" -mmin -1 2>/dev/null)" ]; then
    apt "$1" apt-get update
    touch "$state/updated"
  fi
}

# What is wrong with the names asked for, for a message: "tgo: KEY VALUE..." lines.
explain() {
  echo "tgo: suite $(. $target/etc/os-release && echo "${VERSION_CODENAME:-${PRETTY_NAME:-}}")"
  apt "$architecture" apt-cache pkgnames >/tmp/names
  for name; do
    # A name without a version is known only because others refer to it.
    if [ -n "$(apt "$architecture" apt-cache madison "$name")" ]; then continue; fi
    echo "tgo: missing $name"
    if update "$other" >/dev/null 2>&1 && [ -n "$(apt "$other" apt-cache madison "$name")" ]; then
      echo "tgo: elsewhere $name $other"
      continue
    fi
    awk -v name="$name" '
      function distance(a, b,   i, j, row, last, up, best) {
        for (j = 0; j <= length(b); j++) row[j] = j
        for (i = 1; i <= length(a); i++) {
          last = row[0]; row[0] = i
          for (j = 1; j <= length(b); j++) {
            up = row[j]
            best = last + (substr(a, i, 1) != substr(b, j, 1))
            if (up + 1 < best) best = up + 1
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1
            row[j] = best; last = up
          }
        }
        return row[length(b)]
      }
      { gap = length($0) - length(name) }
      gap > 2 || gap < -2 || substr($0, 1, 1) != substr(name, 1, 1) { next }
      { d = distance(name, $0) }
      d <= 2 { print d, $0 }' /tmp/names | sort -n | head -n 3 | sed "s/^[0-9]* /tgo: near $name /"
  done
}

exec 9>"$cache/lock-$architecture"
flock 9
update "$architecture"
if ! apt "$architecture" apt-get --yes --simulate install "$@" >/tmp/plan; then
  explain "$@" >&2
  exit 1
fi
# The base has it all.
if ! grep -q '^Inst ' /tmp/plan; then exit 0; fi
# "'URI' FILE SIZE SHA256:HASH", of every file when the archive is empty; the hash is from the signed lists.
apt "$architecture" apt-get --yes --print-uris -o Acquire::ForceHash=SHA256 -o Dir::Cache::archives=/nonexistent \
  install "$@" | awk '{ sub(/^SHA256:/, "", $4); print $4 "  " $2 }' >/tmp/sums
flock --unlock 9
exec 9>"$cache/lock-archives"
flock 9
(cd "$archives" && sha256sum --check --status /tmp/sums 2>/dev/null) || {
  # apt trusts a file of the right size; a damaged one must not come back with every build.
  (cd "$archives" && sha256sum --check --quiet /tmp/sums 2>/dev/null || true) | sed 's/: FAILED.*//' |
    (cd "$archives" && xargs -r rm -f)
  apt "$architecture" apt-get --yes --download-only install "$@" >/dev/null
}
(cd "$archives" && cut -d' ' -f3 /tmp/sums | xargs -r cp -t /out/debs && cut -d' ' -f3 /tmp/sums | xargs -r touch)
find "$archives" -maxdepth 1 -name '*.deb' -mtime +30 -delete
flock --unlock 9
(cd /out/debs && sha256sum --check --quiet /tmp/sums)

# "Inst NAME [OLD-VERSION] (VERSION ORIGIN... [ARCHITECTURE])", the same with Conf
awk '
  { version = $3 ~ /^\[/ ? $4 : $3; sub(/^\(/, "", version); gsub(/:/, "%3a", version)
    match($0, /\[[a-z0-9-]+\]\)/); kind = substr($0, RSTART + 1, RLENGTH - 3) }
  $1 == "Inst" { print "unpack", $2 "_" version "_" kind ".deb", $2, kind, $3 ~ /^\[/ ? "upgrade" : "new" }
  $1 == "Conf" { print "configure", $2 }' /tmp/plan >/tmp/order

# Which packages have scripts that run before or while they are unpacked?
info=$target/var/lib/dpkg/info
configured=
while read -r verb file package kind state; do
  if [ "$verb" = configure ]; then
    configured=yes
    continue
  fi
  control=/tmp/control/$package
  mkdir -p "$control"
  dpkg-deb --ctrl-tarfile "/out/debs/$file" | tar -x -C "$control"
  if [ -e "$control/postinst" ]; then echo "$package" >>/out/scripts; fi
  [ -e "$control/preinst" ] && before=yes || before=
  # An earlier version, or what it left behind, has a say in how the new one is unpacked.
  if [ "$state" = upgrade ] || [ -e "$info/$package.list" ] || [ -e "$info/$package:$architecture.list" ]; then
    for script in prerm postrm; do
      if [ -e "$info/$package.$script" ] || [ -e "$info/$package:$architecture.$script" ]; then before=target; fi
    done
    if [ "$before" = yes ]; then before=target; fi
  fi
  # Something was configured before this one: it needs that to be ready (Pre-Depends), which is so in the target only.
  if [ "$before" = yes ] && [ -n "$configured" ]; then before=target; fi
  case $before in
    yes) echo "$package $file $kind" >>/out/preinst && mkdir -p /out/control && mv "$control" "/out/control/$package" ;;
    target) echo "$file" >>/out/target && echo "$package" >>/out/scripts ;;
  esac
done </tmp/order
sort -u -o /out/scripts /out/scripts
cut -d' ' -f1-2 /tmp/order >/out/order
for name; do echo "$name"; done >/tmp/asked
awk -v architecture="$architecture" 'NR == FNR { asked[$1] = 1; next }
  $1 == "unpack" && $5 == "new" && !($3 in asked) {
    print "Package: " $3 "\nArchitecture: " architecture "\nAuto-Installed: 1\n" }' /tmp/asked /tmp/order >/out/auto
awk '/^Package: / { name = $2 } /^Version: / && name == "dpkg" { print $2 }' $target/var/lib/dpkg/status >/out/dpkg-version

# Scripts are the same on every machine: with this machine's shell and basic tools, only the programs that they are
# about are emulated. Those that say what machine it is stay the target's, as do those that dpkg may have to replace.
mkdir -p /out/native/bin
if [ "$(dpkg --print-architecture)" != "$architecture" ] && [ ! -s /out/target ] &&
  [ -L /lib ] && [ -L $target/lib ]; then
  for package in coreutils findutils grep sed mawk debianutils; do
    grep -E '^(/usr)?/bin/' "/var/lib/dpkg/info/$package.list"
  done | grep -vE '/(uname|arch|nproc|hostid)$' | while read -r file; do
    if [ -f "$file" ] && [ ! -L "$file" ]; then cp "$file" /out/native/bin; fi
  done
  ln -s mawk /out/native/bin/awk
  for file in /usr/bin/dash /usr/bin/bash /usr/bin/perl; do
    if [ -f $file ] && [ ! -L $file ] && [ -f $target$file ] && [ ! -L $target$file ]; then
      echo $file >>/out/native/interpreters
    fi
  done
  cp -L "$(ldd /bin/sh | awk '$2 != "=>" && /ld-linux/ { print $1 }')" /out/native/loader
fi
