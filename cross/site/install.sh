#!/usr/bin/env bash
# Installs what the site tests need on Debian 12, and only what is missing.
set -euo pipefail

missing=()
need() { # need COMMAND PACKAGE
  command -v "$1" >/dev/null || PATH=$PATH:/usr/sbin command -v "$1" >/dev/null || missing+=("$2")
}
need mosquitto mosquitto
need socat socat
need mbpoll mbpoll
need gcc gcc
need make make
need git git
[ -e /usr/include/modbus/modbus.h ] || missing+=(libmodbus-dev)
[ -e /usr/include/stdlib.h ] || missing+=(libc6-dev)

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
