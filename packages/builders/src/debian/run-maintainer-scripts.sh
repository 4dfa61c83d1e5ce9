# Runs the maintainer scripts of packages in the target, under emulation if the target is foreign.
# usage: run-maintainer-scripts.sh TIME preinst|configure [native]
# native: run by a native shell and dpkg instead of the target's, see download-packages.sh
# In:  /run/tgo/packages  the output of download-packages.sh
#      /run/tgo/work      an empty directory
set -eu
time=$1
step=$2
packages=/run/tgo/packages
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
# Fixes the dates in password entries, font caches and the like.
export DEBIAN_FRONTEND=noninteractive SOURCE_DATE_EPOCH="$time"
umask 022
cd /
dpkg=dpkg
force=
if [ "${3:-}" = native ]; then
  # Fails if the kernel cannot run the target's programs: an engine with its own emulator has to run the whole step.
  dpkg --version >/dev/null
  PATH=$packages/native/bin:$PATH
  # To a native dpkg, the target's packages are foreign: it cannot see that they satisfy dependencies. apt has.
  if [ -e $packages/native/dpkg ]; then
    dpkg=$packages/native/dpkg
    force=--force-depends
  fi
fi
work=/run/tgo/work
# Keep packages from starting services during the build; official bases already do.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  touch "$work/policy"
fi
cp -a /var/log "$work/log"
touch "$work/started" && sleep 0.05

# Runs a preinst with the environment that dpkg would set. See dpkg(1), internal environment.
run_preinst() { # PACKAGE ARCHITECTURE
  control=/var/lib/dpkg/tmp.ci
  cp -R "$packages/control/$1" $control
  DPKG_ROOT='' DPKG_ADMINDIR=/var/lib/dpkg DPKG_FORCE='' DPKG_RUNNING_VERSION="${version%%-*}" \
    DPKG_MAINTSCRIPT_PACKAGE="$1" DPKG_MAINTSCRIPT_ARCH="$2" DPKG_MAINTSCRIPT_NAME=preinst \
    DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1 DPKG_MAINTSCRIPT_DEBUG=0 $control/preinst install || {
    echo "tgo: script $1 preinst" >&2
    exit 1
  }
  rm -rf $control
}

case $step in
  preinst)
    version=$(cat $packages/dpkg-version)
    while read -r package _ architecture; do run_preinst "$package" "$architecture" </dev/null; done <$packages/preinst
    ;;
  configure)
    set -- --log=/dev/null --force-unsafe-io --force-confdef --force-confold $force
    # In apt's order, with as few calls as possible; triggers run at the end.
    sort -u $packages/scripts $packages/target >"$work/here"
    awk 'NR == FNR { here[$1] = 1; next }
      $2 in here { if ($1 != verb) printf "%s%s", verb ? "\n" : "", $1; verb = $1; printf " %s", $2 }
      END { if (verb) print "" }' "$work/here" $packages/order >"$work/calls"
    cd $packages/debs
    while read -r verb names; do
      $dpkg "$@" --no-triggers --auto-deconfigure "--$verb" $names </dev/null
    done <"$work/calls"
    cd /
    $dpkg "$@" --configure --pending </dev/null
    dpkg --audit >"$work/audit"
    if [ -s "$work/audit" ]; then cat "$work/audit" >&2 && exit 1; fi
    ;;
esac

# Remove what differs between runs or is useless in an image. Otherwise, and apart from apt's own lists, logs and caches,
# the result equals that of apt-get install in the target, file by file. (Further differences: caches that contain a
# directory's time have the fixed one, bytecode is checked by hash, and the entries of extended_states and of dpkg's
# trigger list are ordered differently.)
changed() { # PATH FIND-ARGUMENT...
  where=$1
  shift
  if [ -e "$where" ]; then find "$where" -xdev -newer "$work/started" "$@"; fi
}
rm -f /var/lib/dpkg/*-old
changed /var/cache/debconf -name '*-old' -delete
changed /var/cache/ldconfig -type f -delete
changed /tmp -mindepth 1 ! -type d -delete
changed /var/tmp -mindepth 1 ! -type d -delete
changed /run -mindepth 1 ! -type d -delete
# Every machine generates its own ID at boot. See machine-id(5).
changed /etc/machine-id -type f -exec truncate -s 0 {} +
changed /var/lib/dbus/machine-id -delete
changed /var/log -type f | while read -r file; do
  if [ -e "$work${file#/var}" ]; then cp -p "$work${file#/var}" "$file"; else rm "$file"; fi
done
if [ -e "$work/policy" ]; then rm /usr/sbin/policy-rc.d; fi
# Skip the paths that the engine mounts.
find / -xdev -newer "$work/started" ! -path '/run/tgo*' ! -path '/dev*' ! -path '/proc*' ! -path '/sys*' \
  ! -path /etc/hosts ! -path /etc/resolv.conf ! -path /etc/hostname -print0 |
  xargs -0r touch --no-dereference --date="@$time"
