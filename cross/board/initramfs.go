package board

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// The first process of a board. Its name for the disk is /data; what it leaves
// at the end is a board without power.
const initScript = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
for m in /modules/*; do insmod $m 2>/dev/null; done
mount -t configfs configfs /sys/kernel/config
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
[ -b /dev/vda ] && mount -t ext4 /dev/vda /data
inside
echo "inside ended"
poweroff -f
`

// initramfs writes the board's first file system, a cpio archive in the form
// that the kernel calls newc.
func (p *Parts) initramfs(chips []Chip) ([]byte, error) {
	a := &archive{}
	for _, dir := range []string{"bin", "proc", "sys", "dev", "tmp", "run", "etc", "data", "modules"} {
		a.add(dir, 0o040755, nil)
	}
	a.add("init", 0o100755, []byte(initScript))
	var text bytes.Buffer
	for _, c := range chips {
		fmt.Fprintln(&text, c.String())
	}
	a.add("etc/chips", 0o100644, text.Bytes())
	files := map[string]string{"bin/busybox": filepath.Join(p.dir, "busybox"), "bin/pithead": p.pithead, "bin/inside": p.inside}
	modules, err := filepath.Glob(filepath.Join(p.dir, "modules", "*.ko"))
	if err != nil {
		return nil, err
	}
	for _, m := range modules {
		files["modules/"+filepath.Base(m)] = m
	}
	for name, from := range files {
		b, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		a.add(name, 0o100755, b)
	}
	a.add("TRAILER!!!", 0, nil)
	return a.Bytes(), nil
}

type archive struct {
	bytes.Buffer
	inodes int
}

func (a *archive) add(name string, mode int, content []byte) {
	a.inodes++
	fmt.Fprintf(a, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		a.inodes, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name)+1, 0)
	a.WriteString(name + "\x00")
	a.pad()
	a.Write(content)
	a.pad()
}

func (a *archive) pad() {
	for a.Len()%4 != 0 {
		a.WriteByte(0)
	}
}
