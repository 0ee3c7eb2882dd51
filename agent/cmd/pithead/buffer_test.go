package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pithead/agent"
)

// A buffer is looked at the same way by its folder, through the agent that
// writes it, and when nobody writes it any more.
func TestBufferOfARunningAgent(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PITHEAD_SOCKET", filepath.Join(dir, "s.sock"))
	t.Setenv("STATE_DIRECTORY", filepath.Join(dir, "state"))
	file, web, buf := filepath.Join(dir, "site.yaml"), freePort(t), filepath.Join(dir, "buf")
	write(t, file, goodSite+fmt.Sprintf("web: {listen: %s}\nbuffer: {dir: %s, size: 16MB, commit: 50ms}\n", web, buf))
	s := start(t, web, file)
	s.until("a reading is stored", func() bool {
		status, out, _ := try(t, "buffer", "export", "--to", "1")
		return status == done && strings.Contains(out, `"n":1,`)
	})
	for _, args := range [][]string{
		{"export", "--to", "1"}, {"export", "--to", "1", "--csv"}, {"export", "--events", "--to", "2"}, {"export", "--from", "n:999999", "--points", "x*"},
	} {
		status, out, said := try(t, append([]string{"buffer"}, args...)...)
		_, named, _ := try(t, append([]string{"buffer", args[0], buf}, args[1:]...)...)
		var through, err bytes.Buffer
		got := asking(t, buf, args, streams{nil, &through, &err})
		if status != done || got != done || out != named || out != through.String() || said != err.String() {
			t.Errorf("%v: %d %d\n%q\n%q\n%q\n%q %q", args, status, got, out, named, through.String(), said, err.String())
		}
	}
	for _, args := range [][]string{{"stat"}, {"check"}, {"stat", "--json"}, {"check", "--json"}} {
		var through bytes.Buffer
		status, out, err := try(t, append([]string{"buffer"}, args...)...)
		got := asking(t, buf, args, streams{nil, &through, io.Discard})
		if status != done || got != done || !strings.Contains(out, "events") || !strings.Contains(through.String(), "events") {
			t.Errorf("%v: %d %d %s %s %s", args, status, got, out, through.String(), err)
		}
	}
	s.stop()
	if status, out, err := try(t, "buffer", "check", buf); status != done || !strings.Contains(out, "sound:") {
		t.Errorf("%d %s %s", status, out, err)
	}
	if status, out, _ := try(t, "buffer", "export", buf, "--from", "2001-01-01", "--to", "2001-01-01"); status != done || out != "" {
		t.Errorf("%d %s", status, out)
	}
}

// asking runs a buffer command of one who may not open the folder.
func asking(t *testing.T, dir string, args []string, s streams) int {
	t.Helper()
	f := newBufferFlags(s)
	rest, _, ok := f.parse(args, s, 2)
	if !ok {
		t.Fatal(args)
	}
	verb := map[string]func(context.Context, *bufferFlags, place, streams) int{"stat": runStat, "export": runExport, "check": runBufferCheck}[rest[0]]
	return verb(t.Context(), f, place{dir, agent.Zone(8 * time.Hour), true}, s)
}

// What comes through the socket ends with a whole line, wherever it breaks off.
func TestWholeLines(t *testing.T) {
	text := "first\n" + strings.Repeat("long", 20_000) + "\nlast\n"
	for _, n := range []int{0, 3, 6, 7, 70_000, len(text) - 1, len(text)} {
		for _, r := range []io.Reader{strings.NewReader(text[:n]), iotest.OneByteReader(strings.NewReader(text[:n]))} {
			var out bytes.Buffer
			broken := io.MultiReader(r, iotest.ErrReader(errors.New("broken off")))
			if err := wholeLines(&out, broken); err == nil || err.Error() != "broken off" {
				t.Error(err)
			}
			if want := text[:strings.LastIndexByte(text[:n], '\n')+1]; out.String() != want {
				t.Errorf("of %d bytes %d come, want %d", n, out.Len(), len(want))
			}
		}
	}
}

func TestTheBar(t *testing.T) {
	for _, c := range []struct {
		share float64
		want  string
	}{
		{0, "[                              ]   0 %"},
		{0.5, "[===============               ]  50 %, 10s left"},
		{1.2, "[==============================] 100 %, 0s left"},
	} {
		if got := barLine(c.share, 10*time.Second); got != c.want {
			t.Errorf("%q", got)
		}
	}
}
