#!/usr/bin/env bash
# Fetches and builds what others wrote that the site tests need and that is no
# Debian package, into DIR, and only what is missing there:
#   parts.sh DIR
# unit-test-server of libmodbus, from Debian's source, as it is but for its port
# or line, which it takes as an argument; modbus-serial from npm; toxiproxy and
# nats-server by Go.
set -euo pipefail

dir=$1
mkdir -p "$dir"
cd "$dir"

if [ ! -x unit-test-server ]; then
  # A list of its own, so that the machine's lists stay as they are.
  rm -rf apt src
  mkdir -p apt/lists/partial apt/cache/archives/partial src
  echo "deb-src http://deb.debian.org/debian bookworm main" > apt/sources.list
  own=(-o "Dir::Etc::SourceList=$dir/apt/sources.list" -o "Dir::Etc::SourceParts=/dev/null"
    -o "Dir::State::Lists=$dir/apt/lists" -o "Dir::Cache=$dir/apt/cache" -o "APT::Sandbox::User=root")
  apt-get "${own[@]}" update -qq
  (cd src && apt-get "${own[@]}" source --download-only -qq libmodbus && tar -xf libmodbus_*.orig.tar.*)
  tests=$(echo src/libmodbus-*/tests)
  sed 's/@.*@/0/' "$tests/unit-test.h.in" > "$tests/unit-test.h"
  sed -i -e 's/modbus_new_tcp("127.0.0.1", 1502)/modbus_new_tcp("127.0.0.1", argc > 2 ? atoi(argv[2]) : 1502)/' \
    -e 's|modbus_new_rtu("/dev/ttyUSB0"|modbus_new_rtu(argc > 2 ? argv[2] : "/dev/ttyUSB0"|' "$tests/unit-test-server.c"
  grep -q 'atoi(argv\[2\])' "$tests/unit-test-server.c"
  gcc -w -I"$tests" -I/usr/include/modbus "$tests/unit-test-server.c" -lmodbus -o unit-test-server.new
  mv unit-test-server.new unit-test-server
fi

if [ ! -d node_modules/modbus-serial ]; then
  npm install --no-audit --no-fund --no-save --loglevel=error --prefix "$dir" modbus-serial@8
fi

goes() { # goes NAME MODULE BUILT-AS
  [ -x "$1" ] && return
  mkdir -p gobin
  GOBIN="$dir/gobin" GOFLAGS=-mod=mod go install "$2"
  mv "gobin/$3" "$1"
}
goes toxiproxy-server github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0 server
goes nats-server github.com/nats-io/nats-server/v2@v2.15.2 nats-server
