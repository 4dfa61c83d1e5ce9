# Debian packages for compiling, in a container that is thrown away.
# usage: toolchain.sh ARCHITECTURE PACKAGE...   (ARCHITECTURE: of the machine that is compiled for)
set -eu
architecture=$1
shift
if [ "$architecture" = "$(dpkg --print-architecture)" ]; then suffix=; else suffix=":$architecture"; fi
if [ -n "$suffix" ]; then dpkg --add-architecture "$architecture"; fi
# The official Python images bring their headers; Debian's own Python has them in a package.
headers=$(python3 -c 'import sysconfig, sys; print("" if sys.prefix == "/usr/local" else "libpython%d.%d-dev" % sys.version_info[:2])')
if [ -n "$headers" ]; then set -- "$@" "$headers$suffix"; fi
apt() {
  apt-get -qq -o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Dpkg::Use-Pty=0 \
    -o Dpkg::Options::=--force-unsafe-io ${SSL_CERT_FILE:+-o Acquire::https::CaInfo="$SSL_CERT_FILE"} "$@"
}
apt update
apt --yes install "$@" >/dev/null
