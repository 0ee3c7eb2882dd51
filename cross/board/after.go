package board

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// A power cut takes more from a disk than killing the emulator does: what was
// written and not flushed may be there, in part, in another order, or not at
// all. So every write and flush is noted while a board runs (Config.Log, by
// qemu's blklogwrites, in the form of the kernel's dm-log-writes), and after the
// cut the disk is made anew from how it was before.

// Cuts is what became of the writes behind the last flush.
type Cuts struct {
	Flushed        int // writes that a flush had confirmed
	Kept, Dropped  int // of the others
	Torn           int // others of which some blocks are there
	Bytes, Flushes int64
}

const (
	logMagic  = 0x6a736677736872
	sector    = 512
	atom      = 4096 / sector // what a card writes whole: ext4 itself counts on its superblock never being torn
	flagFlush = 1
	flagFUA   = 2 // the write itself is confirmed
	flagTrim  = 4 // no data follows
)

type write struct {
	at, sectors int64
	flags       uint64
	data        int64 // where in the log
}

// After makes the disk that a power cut leaves: before is the image as it was
// when the board was booted, log what was noted since; dice picks what of the
// unconfirmed became of it.
func After(disk, before, log string, dice func(n int) int) (c Cuts, err error) {
	if out, err := exec.Command("cp", "--sparse=always", before, disk).CombinedOutput(); err != nil {
		return c, fmt.Errorf("cp: %w: %s", err, out)
	}
	f, err := os.Open(log)
	if err != nil {
		return c, err
	}
	defer f.Close()
	d, err := os.OpenFile(disk, os.O_RDWR, 0)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	writes, sure, err := readLog(f)
	if err != nil {
		return c, err
	}
	for i, w := range writes {
		c.Bytes += w.sectors * sector
		if w.sectors == 0 || w.flags&flagTrim != 0 {
			c.Flushes++
			continue
		}
		mask := func(int64) bool { return true }
		switch {
		case i < sure || w.flags&flagFUA != 0:
			c.Flushed++
		case dice(2) == 0:
			c.Dropped++
			continue
		case w.sectors > atom && dice(3) == 0:
			c.Torn++
			blocks := map[int64]bool{}
			mask = func(i int64) bool {
				block := (w.at + i) / atom
				if _, thrown := blocks[block]; !thrown {
					blocks[block] = dice(2) == 0
				}
				return blocks[block]
			}
		default:
			c.Kept++
		}
		if err := w.apply(d, f, mask); err != nil {
			return c, err
		}
	}
	return c, nil
}

// readLog returns what was written, in order, and how many of that stand before
// the last flush.
func readLog(f *os.File) (all []write, sure int, err error) {
	head := make([]byte, sector)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, 0, err
	}
	if m := binary.LittleEndian.Uint64(head); m != logMagic && m != 0 { // 0: nothing was flushed yet
		return nil, 0, fmt.Errorf("the log of the disk begins with %x", m)
	}
	for off := int64(sector); ; {
		_, err := f.ReadAt(head, off)
		w := write{
			at: int64(binary.LittleEndian.Uint64(head)), sectors: int64(binary.LittleEndian.Uint64(head[8:])),
			flags: binary.LittleEndian.Uint64(head[16:]), data: off + sector,
		}
		if err == io.EOF || w.sectors == 0 && w.flags == 0 {
			return all, sure, nil
		}
		if err != nil {
			return nil, 0, err
		}
		if off += sector; w.flags&flagTrim == 0 {
			off += w.sectors * sector
		}
		all = append(all, w)
		if w.flags&flagFlush != 0 {
			sure = len(all)
		}
	}
}

func (w write) apply(d, log *os.File, keep func(int64) bool) error {
	b := make([]byte, sector)
	for i := range w.sectors {
		if !keep(i) {
			continue
		}
		if _, err := log.ReadAt(b, w.data+i*sector); err != nil {
			return err
		}
		if _, err := d.WriteAt(b, (w.at+i)*sector); err != nil {
			return err
		}
	}
	return nil
}
