#!/usr/bin/env bash
# Makes the parts of an emulated board out of Debian packages:
#   parts.sh arm64|armhf DIR
# leaves in DIR vmlinuz, busybox and modules/, whose names say in which order
# they are loaded. The packages are of another architecture: they are unpacked,
# not installed, and thrown away. Debian's kernels have no gpio-sim, so that is
# built here from their source.
set -euo pipefail

arch=$1
out=$2
case $arch in
  arm64) flavour=arm64 cross=aarch64-linux-gnu- karch=arm64 bits=64 ;;
  armhf) flavour=armmp cross=arm-linux-gnueabihf- karch=arm bits=32 ;;
  *) echo "parts.sh: $arch: want arm64 or armhf" >&2; exit 2 ;;
esac
PATH=$PATH:/usr/sbin:/sbin

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp" # apt fetches as a user of its own
cd "$tmp"

# apt_of ARCH COMMAND… is apt with a state of its own, so that the machine's is
# not touched. An index that can't be had is no matter while the others have
# what is asked for.
apt_of() {
  local a=$1
  shift
  local state=$tmp/apt-$a
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
  touch "$state/status"
  local options=(-q -o "APT::Architecture=$a" -o "APT::Architectures=$a" -o "Dir::State::Lists=$state/lists"
    -o "Dir::Cache=$state/cache" -o "Dir::State::status=$state/status" -o APT::Sandbox::User=root)
  case $1 in
    depends) apt-cache "${options[@]}" "$@" ;;
    *) apt-get "${options[@]}" "$@" ;;
  esac
}

host=$(dpkg --print-architecture)
for a in "$arch" "$host"; do
  apt_of "$a" update >"update-$a.log" 2>&1 || true
done
# Image and headers come from different sources of one archive, and not all
# indexes are renewed at once: the two have to fit each other.
version=$(apt_of "$arch" depends "linux-headers-$flavour" | sed -n 's/.*Depends: linux-headers-//p')
if [ -z "$version" ]; then
  cat update-*.log >&2
  echo "parts.sh: no linux-headers-$flavour to be had" >&2
  exit 1
fi
abi=${version%-"$flavour"}

mkdir debs
cd debs
apt_of "$arch" download "linux-image-$version" "linux-headers-$version" "linux-headers-$abi-common" busybox-static linux-source-6.1 >/dev/null
apt_of "$host" download linux-kbuild-6.1 >/dev/null
cd ..
for deb in debs/*.deb; do
  dpkg-deb -x "$deb" root
done
rm -rf debs

# gpio-sim. The simulated interrupts that it stands on are not in Debian's
# kernels either, so they become part of it.
mkdir gpio-sim
tar -C gpio-sim --strip-components=1 --wildcards -xJf root/usr/src/linux-source-6.1.tar.xz \
  '*/drivers/gpio/gpio-sim.c' '*/drivers/gpio/gpiolib.h' '*/kernel/irq/irq_sim.c'
cd gpio-sim
mv drivers/gpio/gpio-sim.c gpio-sim-main.c
mv drivers/gpio/gpiolib.h .
sed -e '/EXPORT_SYMBOL/d' -e 's/irq_to_desc(irqnum)/irq_data_to_desc(irq_get_irq_data(irqnum))/' \
  -e '/#include <linux\/irq.h>/a #include <linux/irqdesc.h>' kernel/irq/irq_sim.c >irq_sim.c
printf 'obj-m := gpio-sim.o\ngpio-sim-y := gpio-sim-main.o irq_sim.o\n' >Kbuild
headers=$tmp/root/usr/src/linux-headers-$version
sed -i "s#/usr/src/#$tmp/root/usr/src/#" "$headers/Makefile"
for link in "$headers"/* "$tmp/root/usr/src/linux-headers-$abi-common"/*; do
  if [ -L "$link" ] && [ ! -e "$link" ]; then
    to=$(readlink "$link")
    ln -sfn "$tmp/root/usr/lib/${to##*/usr/lib/}" "$link"
    [ -e "$link" ] || ln -sfn "$tmp/root/usr/lib/${to##*lib/}" "$link"
  fi
done
# The packaged modpost guesses the processor's word from a configuration that it
# doesn't find here; and the one for 32 bits takes a table of device trees for
# one of 64, so that goes: nobody here describes the chip by a device tree.
sed -i '/MODULE_DEVICE_TABLE/d' gpio-sim-main.c
cp "$tmp/root/usr/lib/linux-kbuild-6.1/scripts/mod/modpost.real-lsb-$bits" "$tmp/root/usr/lib/linux-kbuild-6.1/scripts/mod/modpost"
if ! make -C "$headers" "M=$PWD" "ARCH=$karch" "CROSS_COMPILE=$cross" modules >make.log 2>&1; then
  cat make.log >&2
  exit 1
fi
cd ..

modules=root/lib/modules/$version
mkdir -p "$modules/extra"
cp gpio-sim/gpio-sim.ko "$modules/extra/"
depmod -b root "$version"
rm -rf "$out.new"
mkdir -p "$out.new/modules"
i=10
for want in virtio_pci virtio_net virtio_blk ext4 crc32c_generic gpio-sim; do
  modprobe -d root -S "$version" --show-depends "$want" | sed -n 's/^insmod //p'
done | awk '{print $1}' | awk '!seen[$0]++' | while read -r file; do
  cp "$file" "$out.new/modules/$i-$(basename "$file")"
  i=$((i + 1))
done
cp "root/boot/vmlinuz-$version" "$out.new/vmlinuz"
cp root/bin/busybox "$out.new/busybox"
echo "$version" >"$out.new/version"
rm -rf "$out"
mv "$out.new" "$out"
