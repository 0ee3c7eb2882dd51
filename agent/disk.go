package agent

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"pithead/agent/uplink"
	"pithead/buffer"
)

// diskOf is how the disk under a folder fares. What it does not say is left out.
func diskOf(dir string) (d uplink.DiskHealth) {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) == nil {
		free := uint64(fs.Bavail) * uint64(fs.Bsize)
		d.Free = &free
	}
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return d
	}
	dev := uint64(st.Dev)
	d.Life, d.Worn = wear(filepath.Join("/sys/dev/block", strconv.Itoa(int(unix.Major(dev)))+":"+strconv.Itoa(int(unix.Minor(dev)))))
	return d
}

// wear is what an eMMC says of itself (JEDEC JESD84-B51, EXT_CSD 267 to 269): the
// percentage of its life that is used, and whether its spare blocks run out.
// Block is its folder in sysfs, or that of one of its partitions.
func wear(block string) (percent *int, worn string) {
	device := filepath.Join(block, "device")
	if _, err := os.Stat(filepath.Join(block, "partition")); err == nil {
		if real, err := filepath.EvalSymlinks(block); err == nil {
			device = filepath.Join(filepath.Dir(real), "device")
		}
	}
	for _, s := range words(filepath.Join(device, "life_time")) {
		// 1 is up to a tenth, 11 is beyond what it was made for, 0 is not told.
		if n, err := strconv.ParseUint(s, 0, 8); err == nil && n > 0 && (percent == nil || int(n)*10 > *percent) {
			p := int(n) * 10
			percent = &p
		}
	}
	if s := words(filepath.Join(device, "pre_eol_info")); len(s) == 1 {
		n, _ := strconv.ParseUint(s[0], 0, 8)
		worn = map[uint64]string{2: "warning", 3: "urgent"}[n]
	}
	return percent, worn
}

// besides is what the agent keeps in the folder beside the log, with room for
// what it writes anew before the old goes. Somebody else's files there are no
// reason to store next to nothing.
func besides(dir string, size int64) int64 {
	n := int64(64 << 10)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			n += (info.Size() + block - 1) / block * block
		}
	}
	return min(n, size/8)
}

func words(file string) []string {
	b, _ := os.ReadFile(file)
	return strings.Fields(string(b))
}

// pace is how long writes to the disk took in the last one to two minutes, and
// how many failed. One goroutine writes, and any may read.
type pace struct {
	began       atomic.Pointer[time.Time] // of the write that is under way, nil if none is
	now, before atomic.Int64              // the longest of this minute and of the one before, ns
	turned      time.Time
	failed      atomic.Uint64
}

// took times a write.
func (p *pace) took(write func() error) error {
	begin := time.Now()
	p.began.Store(&begin)
	err := write()
	p.began.Store(nil)
	d := time.Since(begin)
	if begin.Sub(p.turned) >= time.Minute {
		p.before.Store(p.now.Swap(0))
		p.turned = begin
	}
	if int64(d) > p.now.Load() {
		p.now.Store(int64(d))
	}
	if err != nil && !errors.Is(err, buffer.ErrTooLong) {
		p.failed.Add(1)
	}
	return err
}

// waits is for how long the write that is under way has not come back.
func (p *pace) waits() time.Duration {
	if began := p.began.Load(); began != nil {
		return time.Since(*began)
	}
	return 0
}

func (p *pace) slowest() time.Duration { return time.Duration(max(p.now.Load(), p.before.Load())) }
