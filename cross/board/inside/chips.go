package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

const configfs = "/sys/kernel/config/gpio-sim"

// chips are the simulated GPIO chips, and where each line by its name is.
type chips struct {
	line   map[string]place
	done   atomic.Int64 // changes that the newest toggle has made so far
	enough atomic.Bool  // it shall make no more
}

type place struct {
	chip   string
	offset int
}

// makeChips makes what a file lists, one chip a line: its label, the names of
// its lines.
func makeChips(file string) (*chips, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	cs := &chips{line: map[string]place{}}
	for _, l := range strings.Fields(string(text)) {
		names := strings.Split(l, ",")
		if err := cs.add(names[0], names[1:]); err != nil {
			return nil, fmt.Errorf("chip %s: %w", names[0], err)
		}
	}
	return cs, nil
}

func (cs *chips) add(label string, names []string) error {
	bank := filepath.Join(configfs, label, "bank")
	if err := os.MkdirAll(bank, 0o755); err != nil {
		return err
	}
	if err := write(bank, "label", label); err != nil {
		return err
	}
	if err := write(bank, "num_lines", fmt.Sprint(len(names))); err != nil {
		return err
	}
	for i, name := range names {
		if name == "" {
			continue
		}
		dir := filepath.Join(bank, fmt.Sprintf("line%d", i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		if err := write(dir, "name", name); err != nil {
			return err
		}
		cs.line[name] = place{label, i}
	}
	return write(filepath.Join(configfs, label), "live", "1")
}

func (cs *chips) plug(r *http.Request) (string, error) {
	return "", write(filepath.Join(configfs, r.FormValue("chip")), "live", r.FormValue("in"))
}

// open opens the file through which a line is driven (pull) or seen (value). A
// chip that was taken away and put back has another number.
func (cs *chips) open(line, what string, how int) (*os.File, error) {
	p, ok := cs.line[line]
	if !ok {
		return nil, fmt.Errorf("there is no line %q", line)
	}
	device, err := os.ReadFile(filepath.Join(configfs, p.chip, "dev_name"))
	if err != nil {
		return nil, err
	}
	chip, err := os.ReadFile(filepath.Join(configfs, p.chip, "bank", "chip_name"))
	if err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join("/sys/devices/platform", strings.TrimSpace(string(device)),
		strings.TrimSpace(string(chip)), fmt.Sprintf("sim_gpio%d", p.offset), what), how, 0)
}

func pull(f *os.File, up bool) error {
	text := "pull-down"
	if up {
		text = "pull-up"
	}
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

func level(f *os.File) (bool, error) {
	var b [1]byte
	_, err := f.ReadAt(b[:], 0)
	return b[0] == '1', err
}

func write(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
}
