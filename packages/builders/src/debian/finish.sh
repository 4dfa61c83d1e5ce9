# Runs packages' scripts in the target, emulated where that is foreign.
# usage: finish.sh TIME preinst|configure [native]
# native: this shell is not the target's, see fetch.sh
# In:  /run/tgo/packages  what fetch.sh made
#      /run/tgo/work      an empty folder
set -eu
time=$1
step=$2
packages=/run/tgo/packages
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
# The date of a password's last change, of a font cache and others.
export DEBIAN_FRONTEND=noninteractive SOURCE_DATE_EPOCH="$time"
umask 022
cd /
if [ "${3:-}" = native ]; then
  # Programs of the target run here only where the kernel knows their emulator; an engine with one of its own runs
  # the whole step with that.
  dpkg --version >/dev/null
  PATH=$packages/native/bin:$PATH
fi
work=/run/tgo/work
# Nothing may be started in an image; official bases say so themselves.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  touch "$work/policy"
fi
cp -a /var/log "$work/log"
touch "$work/started" && sleep 0.05

# What dpkg gives a script. See dpkg(1), internal environment.
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
    set -- --log=/dev/null --force-unsafe-io --force-confdef --force-confold
    # apt's order, in as few calls as it allows; triggers wait for the end.
    sort -u $packages/scripts $packages/target >"$work/here"
    awk 'NR == FNR { here[$1] = 1; next }
      $2 in here { if ($1 != verb) printf "%s%s", verb ? "\n" : "", $1; verb = $1; printf " %s", $2 }
      END { if (verb) print "" }' "$work/here" $packages/order >"$work/calls"
    cd $packages/debs
    while read -r verb names; do
      dpkg "$@" --no-triggers --auto-deconfigure "--$verb" $names </dev/null
    done <"$work/calls"
    cd /
    dpkg "$@" --configure --pending </dev/null
    dpkg --audit >"$work/audit"
    if [ -s "$work/audit" ]; then cat "$work/audit" >&2 && exit 1; fi
    ;;
esac

# What differs from run to run, or has no use in an image: beyond this, and apt's own lists, logs and caches, the result
# is file by file that of apt-get install in the target. (Also: caches that hold a directory's time have the fixed one,
# bytecode is checked by hash, and what is in extended_states and in dpkg's list of triggers has another order.)
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
# Each machine gets its own when it starts. See machine-id(5)
changed /etc/machine-id -type f -exec truncate -s 0 {} +
changed /var/lib/dbus/machine-id -delete
changed /var/log -type f | while read -r file; do
  if [ -e "$work${file#/var}" ]; then cp -p "$work${file#/var}" "$file"; else rm "$file"; fi
done
if [ -e "$work/policy" ]; then rm /usr/sbin/policy-rc.d; fi
# The engine's own: mounted, or given to every command.
find / -xdev -newer "$work/started" ! -path '/run/tgo*' ! -path '/dev*' ! -path '/proc*' ! -path '/sys*' \
  ! -path /etc/hosts ! -path /etc/resolv.conf ! -path /etc/hostname -print0 |
  xargs -0r touch --no-dereference --date="@$time"
