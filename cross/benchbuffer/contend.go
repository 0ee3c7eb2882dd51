package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"pithead/buffer"
)

// A contender keeps records; what commit returns from is on disk.
type contender interface {
	commit(records [][]byte) error
	read(each func(record []byte) error) error // all of it, oldest first
	close() error
}

// contenders are how each is opened in a folder, with about that much space in
// use before the oldest goes, if it knows such a thing.
var contenders = []struct {
	name string
	open func(dir string, size int64) (contender, error)
}{
	{"raw", openRaw}, {"pithead", openPithead}, {"tidwall/wal", openTidwall}, {"bbolt", openBolt}, {"SQLite", openSQLite},
}

// raw is the limit: whole blocks over what was written before, and fdatasync.
type raw struct {
	f    *os.File
	buf  []byte
	off  int64
	size int64
}

const block = 4096

func openRaw(dir string, size int64) (contender, error) {
	f, err := os.OpenFile(filepath.Join(dir, "raw"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	zeros := make([]byte, 1<<20)
	for off := int64(0); off < size; off += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros, off); err != nil {
			return nil, err
		}
	}
	return &raw{f: f, size: size}, f.Sync()
}

func (r *raw) commit(records [][]byte) error {
	r.buf = r.buf[:0]
	for _, b := range records {
		r.buf = append(r.buf, b...)
	}
	r.buf = append(r.buf, make([]byte, (block-len(r.buf)%block)%block)...)
	if r.off+int64(len(r.buf)) > r.size {
		r.off = 0
	}
	if _, err := r.f.WriteAt(r.buf, r.off); err != nil {
		return err
	}
	r.off += int64(len(r.buf))
	return syscall.Fdatasync(int(r.f.Fd()))
}

func (r *raw) read(func([]byte) error) error { return errors.ErrUnsupported }
func (r *raw) close() error                  { return r.f.Close() }

// pithead is the buffer with one lane for readings and one for events.
type pithead struct {
	log          *buffer.Log
	data, events *buffer.Lane
	buf          []byte
}

func openPithead(dir string, size int64) (contender, error) {
	log, _, err := buffer.Open(buffer.Config{Dir: filepath.Join(dir, "pithead"), Lanes: []buffer.LaneConfig{
		{Name: "data", Size: size}, {Name: "events", Size: 8 << 20}}})
	if err != nil {
		return nil, err
	}
	return &pithead{log: log, data: log.Lane("data"), events: log.Lane("events")}, nil
}

// commit puts the records into one frame: a length before each.
func (p *pithead) commit(records [][]byte) error {
	p.buf = p.buf[:0]
	for _, b := range records {
		p.buf = append(binary.AppendUvarint(p.buf, uint64(len(b))), b...)
	}
	return p.data.Append(p.buf, len(records))
}

func (p *pithead) read(each func([]byte) error) error {
	r := p.data.Reader(p.data.First())
	defer r.Close()
	for {
		f, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for b := f.Payload; len(b) > 0; {
			n, w := binary.Uvarint(b)
			if w <= 0 || n > uint64(len(b)-w) {
				return fmt.Errorf("frame %d is no row of records", f.First)
			}
			if err := each(b[w : w+int(n)]); err != nil {
				return err
			}
			b = b[w+int(n):]
		}
	}
}

func (p *pithead) close() error { return p.log.Close() }
