package agent

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func TestWearIsWhatTheCardSays(t *testing.T) {
	for _, c := range []struct {
		story        string
		life, eol    string
		percent      int
		worn         string
		ofAPartition bool
	}{
		{"new", "0x01 0x01\n", "0x01\n", 10, "", false},
		{"one kind of block is older", "0x02 0x06\n", "0x02\n", 60, "warning", true},
		{"beyond its life", "0x0b 0x0b\n", "0x03\n", 110, "urgent", true},
		{"it does not say", "0x00 0x00\n", "0x00\n", 0, "", false},
		{"an SD card", "", "", 0, "", true},
		{"nonsense", "what?", "0x01 0x02 0x03", 0, "", false},
	} {
		disk := filepath.Join(t.TempDir(), "mmcblk0")
		part := filepath.Join(disk, "mmcblk0p2")
		for _, dir := range []string{filepath.Join(disk, "device"), part} {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		for name, text := range map[string]string{"device/life_time": c.life, "device/pre_eol_info": c.eol, "mmcblk0p2/partition": "2\n"} {
			if text == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(disk, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		at := disk
		if c.ofAPartition {
			at = filepath.Join(t.TempDir(), "179:2")
			if err := os.Symlink(part, at); err != nil {
				t.Fatal(err)
			}
		}
		percent, worn := wear(at)
		if (percent == nil) != (c.percent == 0) || percent != nil && *percent != c.percent || worn != c.worn {
			t.Errorf("%s: %v, %q", c.story, percent, worn)
		}
	}
	if d := diskOf(t.TempDir()); d.Free == nil || *d.Free == 0 {
		t.Errorf("no free space: %+v", d)
	}
	if d := diskOf("/does/not/exist"); d.Free != nil {
		t.Errorf("free space of nothing: %+v", d)
	}
}

func TestTheSlowestWriteIsOfTheLastMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace
		write := func(d time.Duration, err error) {
			_ = p.took(func() error { time.Sleep(d); return err })
		}
		write(3*time.Second, errors.New("failed"))
		write(time.Second, nil)
		if p.slowest() != 3*time.Second || p.failed.Load() != 1 {
			t.Errorf("%v, %d failed", p.slowest(), p.failed.Load())
		}
		time.Sleep(time.Minute)
		write(time.Second, nil)
		if p.slowest() != 3*time.Second {
			t.Errorf("%v", p.slowest())
		}
		time.Sleep(time.Minute)
		write(2*time.Second, nil)
		if p.slowest() != 2*time.Second {
			t.Errorf("%v", p.slowest())
		}
	})
}
