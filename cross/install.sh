#!/usr/bin/env bash
# Installs what a kind of tests needs on Debian 12, and only what is missing:
#   install.sh [site] [board]
# site are the tests against real parts, board those in an emulated ARM board.
set -euo pipefail

missing=()
need() { # need COMMAND-OR-FILE PACKAGE
  case $1 in
    /*) [ -e "$1" ] || missing+=("$2") ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null || missing+=("$2") ;;
  esac
}
for kind in "$@"; do
  case $kind in
    site)
      need mosquitto mosquitto
      need socat socat
      need mbpoll mbpoll
      need ip iproute2
      need nft nftables
      need node nodejs
      need npm npm
      need dpkg-source dpkg-dev
      need gcc gcc
      need make make
      need git git
      need /usr/include/modbus/modbus.h libmodbus-dev
      need /usr/include/stdlib.h libc6-dev
      ;;
    board)
      need qemu-system-aarch64 qemu-system-arm
      need /usr/lib/ipxe/qemu/efi-virtio.rom ipxe-qemu
      need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
      need arm-linux-gnueabihf-gcc gcc-arm-linux-gnueabihf
      need gcc gcc
      need make make
      need mkfs.ext4 e2fsprogs
      need modprobe kmod
      need xz xz-utils
      ;;
    *)
      echo "install.sh: $kind: want site or board" >&2
      exit 2
      ;;
  esac
done

if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "install.sh: these are missing, and this is no Debian: ${missing[*]}" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "install.sh: these Debian packages are missing; install them, or run this as root: ${missing[*]}" >&2
  exit 1
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
# Debian starts a broker of its own, which nobody here asked for.
if [[ " ${missing[*]} " == *" mosquitto "* ]] && command -v systemctl >/dev/null; then
  systemctl disable --now mosquitto >/dev/null 2>&1 || true
fi
