# Resolves and downloads Debian packages for a root of any architecture, with the native apt.
# usage: download-packages.sh ARCHITECTURE OTHER-ARCHITECTURE PACKAGE...
# In:  /mnt/target       root of the base image (read-only), with its package database and apt sources
#      /run/tgo/apt      its /etc/apt with rewritten sources, if a mirror is set
#      /var/cache/tgo    cache volume: package lists by sources, packages of all architectures
# Out: /out/debs/*.deb   the packages to install, verified against the signed lists
#      /out/order        "unpack FILE" and "configure PACKAGE" lines, in the order in which apt would run dpkg
#      /out/auto         automatically installed packages, in the format of /var/lib/apt/extended_states
#      /out/preinst      "PACKAGE FILE ARCHITECTURE": its preinst runs before anything is unpacked
#      /out/target       "FILE": only dpkg in the target itself can unpack it
#      /out/scripts      "PACKAGE": has a postinst, or is unpacked in the target
#      /out/native       for a foreign target: native builds of the programs that its scripts call most, and of dpkg
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

# One directory of lists for each set of sources, shared by builds: the lists are as large as many services' packages.
sources=$(cat $etc/sources.list $etc/sources.list.d/* 2>/dev/null | sha256sum | cut -c1-16)

apt() { # ARCHITECTURE COMMAND ARGUMENT...
  lists=$cache/lists/$sources-$1
  for_architecture=$1
  command=$2
  shift 2
  # Override the base's own configuration: official images keep no caches and delete downloads.
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

# Services share the lists; those updated within the last minute are reused.
update() { # ARCHITECTURE
  state=$cache/lists/$sources-$1
  mkdir -p "$state/lists/partial"
  if [ -z "$(find "$state/updated" -mmin -1 2>/dev/null)" ]; then
    # Where an archive has both: 3 MB more than xz, for half of the processor time.
    apt "$1" apt-get -o Acquire::CompressionTypes::Order::=gz update
    touch "$state/updated"
  fi
}

# Reports which requested packages do not exist, as "tgo: KEY VALUE..." lines that install-failure.ts parses.
explain() {
  echo "tgo: suite $(. $target/etc/os-release && echo "${VERSION_CODENAME:-${PRETTY_NAME:-}}")"
  apt "$architecture" apt-cache pkgnames >/tmp/names
  for name; do
    # A name without a version exists only as a reference in other packages.
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
# Everything is already installed.
if ! grep -q '^Inst ' /tmp/plan; then exit 0; fi
# "'URI' FILE SIZE SHA256:HASH" of every file, because the archive directory does not exist; hashes are from the signed lists.
apt "$architecture" apt-get --yes --print-uris -o Acquire::ForceHash=SHA256 -o Dir::Cache::archives=/nonexistent \
  install "$@" >/tmp/uris
awk '{ sub(/^SHA256:/, "", $4); print $4 "  " $2 }' /tmp/uris >/tmp/sums
flock --unlock 9
exec 9>"$cache/lock-archives"
flock 9
# Fetches what is missing or damaged. apt-helper does not read all lists again, as apt-get would.
(cd "$archives" && sha256sum --check --quiet /tmp/sums 2>/dev/null || true) | sed 's/: FAILED.*//' >/tmp/missing
if [ -s /tmp/missing ]; then
  (cd "$archives" && xargs -r rm -f </tmp/missing)
  awk -v folder="$archives" 'NR == FNR { missing[$1] = 1; next }
    $2 in missing { uri = $1; gsub("\047", "", uri); print uri; print folder "/" $2; print $4 }' /tmp/missing /tmp/uris >/tmp/fetch
  (
    set -- download-file
    while read -r argument; do set -- "$@" "$argument"; done </tmp/fetch
    apt "$architecture" /usr/lib/apt/apt-helper "$@" >/dev/null
  )
fi
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

# Find the packages with scripts that run before or while they are unpacked.
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
  # Scripts of an earlier version take part in unpacking the new one.
  if [ "$state" = upgrade ] || [ -e "$info/$package.list" ] || [ -e "$info/$package:$architecture.list" ]; then
    for script in prerm postrm; do
      if [ -e "$info/$package.$script" ] || [ -e "$info/$package:$architecture.$script" ]; then before=target; fi
    done
    if [ "$before" = yes ]; then before=target; fi
  fi
  # Its preinst needs packages that are configured before it (Pre-Depends), which only the target can do.
  if [ "$before" = yes ] && [ -n "$configured" ]; then before=target; fi
  case $before in
    yes) echo "$package $file $kind" >>/out/preinst && mkdir -p /out/control && mv "$control" "/out/control/$package" ;;
    target) echo "$file" >>/out/target && echo "$package" >>/out/scripts ;;
  esac
done </tmp/order
sort -u -o /out/scripts /out/scripts
cut -d' ' -f1-2 /tmp/order >/out/order
for name; do echo "$name"; done >/tmp/requested
awk -v architecture="$architecture" 'NR == FNR { requested[$1] = 1; next }
  $1 == "unpack" && $5 == "new" && !($3 in requested) {
    print "Package: " $3 "\nArchitecture: " architecture "\nAuto-Installed: 1\n" }' /tmp/requested /tmp/order >/out/auto
awk '/^Package: / { name = $2 } /^Version: / && name == "dpkg" { print $2 }' $target/var/lib/dpkg/status >/out/dpkg-version

# Scripts do not depend on the architecture: with a native shell and native basic tools, only the packages' own programs
# are emulated. Tools that report the architecture stay the target's, as do those that dpkg may have to replace.
mkdir -p /out/native/bin
if [ "$(dpkg --print-architecture)" != "$architecture" ] && [ ! -s /out/target ] &&
  [ -L /lib ] && [ -L $target/lib ]; then
  for package in coreutils findutils grep sed mawk debianutils; do
    grep -E '^(/usr)?/bin/' "/var/lib/dpkg/info/$package.list"
  done | grep -vE '/(uname|arch|nproc|hostid)$' | while read -r file; do
    if [ -f "$file" ] && [ ! -L "$file" ]; then cp "$file" /out/native/bin; fi
  done
  ln -s mawk /out/native/bin/awk
  cp /usr/bin/getopt /out/native/bin
  # Of dpkg's programs, those that neither write nor print architectures, and such uses of the others: scripts compare
  # versions dozens of times. All if they are of the target's version.
  if [ "$(dpkg-query --show --showformat='${Version}' dpkg)" = "$(cat /out/dpkg-version)" ]; then
    cp /usr/bin/dpkg-divert /usr/bin/dpkg-statoverride /usr/bin/update-alternatives /out/native/bin
    cp /usr/bin/dpkg /usr/bin/dpkg-query /out/native
    natively() { # PROGRAM OPTION-PATTERN
      cat >"/out/native/bin/$1" <<EOF && chmod 755 "/out/native/bin/$1"
#!/bin/sh
case \${1:-} in $2) exec /run/tgo/packages/native/$1 "\$@" ;; esac
exec /usr/bin/$1 "\$@"
EOF
    }
    natively dpkg '--compare-versions | --validate-version'
    natively dpkg-query --control-path
  fi
  # Scripts also call seq by its path: ucf does.
  for file in /usr/bin/dash /usr/bin/bash /usr/bin/perl /usr/bin/seq; do
    if [ -f $file ] && [ ! -L $file ] && [ -f $target$file ] && [ ! -L $target$file ]; then
      echo $file >>/out/native/interpreters
    fi
  done
  cp -L "$(ldd /bin/sh | awk '$2 != "=>" && /ld-linux/ { print $1 }')" /out/native/loader
fi
