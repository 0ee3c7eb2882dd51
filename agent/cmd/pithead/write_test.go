package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

const handSite = `version: 1
site: s
gateway: g
buses: {pit: {sim: {signals: {p: {value: 1}}}}}
devices: {d: {bus: pit, unit: 1}}
points: {p: {device: d, holding: 0}}
outputs:
  siren: {gpio: pit/1}
  cut: {kind: trip, on-start: off, first-line: x, device: d, coil: 1}
`

// impatient is somebody who presses Ctrl-C as soon as it is on.
type impatient struct {
	strings.Builder
	press func()
}

func (p *impatient) Write(b []byte) (int, error) {
	if strings.HasSuffix(string(b), " is on\n") {
		p.press()
	}
	return p.Builder.Write(b)
}

func TestWriteWithoutAnAgent(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PITHEAD_SOCKET", filepath.Join(dir, "none.sock"))
	file := filepath.Join(dir, "site.yaml")
	write(t, file, handSite)
	for _, c := range []struct {
		story, args, in string
		status          int
		out, err        string
	}{
		{"a siren, for a minute", "siren on", "y\n", done, "siren is on\nsiren is off again\n", ""},
		{"a script, for less", "siren on --yes --for 2s", "", done, "siren is on\nsiren is off again\n", ""},
		{"somebody says no", "siren on", "n\n", wrong, "Switch siren on for 1m0s by hand? [y/N]", "nothing was switched"},
		{"nobody says anything", "siren on", "", wrong, "[y/N]", "nothing was switched"},
		{"a trip is put on, and stays", "cut on --yes --for 1s", "", done, "cut is on\ncut stays on", ""},
		{"a trip is not put off", "cut off --yes", "", wrong, "", "a trip is released by its alarms clearing"},
		{"no such output", "horn on --yes", "", wrong, "", "there is no output horn"},
		{"neither on nor off", "siren of --yes", "", usage, "", "want an output, and on or off"},
		{"for ever", "siren on --yes --for 8d", "", usage, "", "--for 8d; want 1s to 24h"},
	} {
		t.Run(c.story, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			out, errs := impatient{press: cancel}, strings.Builder{}
			args := append([]string{"write", "--site", file}, strings.Fields(c.args)...)
			status := run(ctx, args, strings.NewReader(c.in), &out, &errs)
			if status != c.status || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.err) {
				t.Errorf("exit %d\n%s\n%s", status, out.String(), errs.String())
			}
		})
	}
}

// The running agent switches by hand, and its record says who.
func TestWriteByTheRunningAgent(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STATE_DIRECTORY", dir)
	t.Setenv("PITHEAD_SOCKET", filepath.Join(dir, "s"))
	page := freePort(t)
	file := filepath.Join(dir, "site.yaml")
	write(t, file, handSite+"buffer: {dir: "+dir+", size: 16MB}\nweb: {listen: \""+page+"\"}\n")
	s := start(t, page, file)
	defer s.stop()
	var out, errs strings.Builder
	if status := run(context.Background(), []string{"write", "siren", "on", "--yes", "--for", "5m", "--why", "试警笛"}, nil, &out, &errs); status != done ||
		!strings.Contains(out.String(), "siren is on by hand for 5m0s") {
		t.Fatalf("exit %d\n%s\n%s", status, out.String(), errs.String())
	}
	s.until("the siren is on", func() bool {
		var got struct {
			Outputs []struct {
				ID string
				On bool
			}
		}
		if s.get("api/v1/alarms", &got) != nil {
			return false
		}
		for _, o := range got.Outputs {
			if o.ID == "siren" && o.On {
				return true
			}
		}
		return false
	})
	if status := run(context.Background(), []string{"write", "horn", "on", "--yes"}, nil, &out, &errs); status != wrong || !strings.Contains(errs.String(), "horn") {
		t.Errorf("no such output: exit %d, %s", status, errs.String())
	}
}
