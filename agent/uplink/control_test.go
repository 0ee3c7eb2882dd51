package uplink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFewerPartsTakeBackTheRest(t *testing.T) {
	b := newBench(t, 1<<20)
	topics := func(n int) (ts []string) {
		c := control{Uplink: b.uplink(uplinkConfig())} // another run each time
		for _, m := range c.parts("meta", slices.Repeat([][]byte{{'{', '}'}}, n)) {
			ts = append(ts, fmt.Sprintf("%s %d", strings.TrimPrefix(m.topic, "pithead/v1/shidian-tsf/gw-01/"), len(m.payload)))
		}
		slices.Sort(ts)
		return ts
	}
	for _, c := range []struct {
		n    int
		want []string
	}{
		{1, []string{"meta 2"}},
		{3, []string{"meta 0", "meta/0 2", "meta/1 2", "meta/2 2"}},
		{2, []string{"meta/0 2", "meta/1 2", "meta/2 0"}},
		{2, []string{"meta/0 2", "meta/1 2"}},
		{1, []string{"meta 2", "meta/0 0", "meta/1 0"}},
	} {
		if got := topics(c.n); !slices.Equal(got, c.want) {
			t.Errorf("%d parts: %q, want %q", c.n, got, c.want)
		}
	}
}

func TestSnapshotsComeOftenWhileBehind(t *testing.T) {
	b := newBench(t, 1<<20)
	asked := 0
	e := b.env()
	fail := false
	e.Snapshot = func(context.Context) (Snapshot, error) {
		if asked++; fail {
			return Snapshot{}, errors.New("the judge is busy")
		}
		return Snapshot{}, nil
	}
	cfg := uplinkConfig()
	cfg.Snapshot = 10 * time.Minute
	c := control{Uplink: New(cfg, e)}
	now := time.Now()
	at := func(after time.Duration, behind bool) bool {
		_, ok := c.next(t.Context(), now.Add(after), behind)
		return ok
	}
	for _, s := range []struct {
		after  time.Duration
		behind bool
		want   bool
	}{
		{0, false, true}, {time.Minute, false, false}, {time.Minute, true, true}, {79 * time.Second, true, false},
		{80 * time.Second, true, true}, {5 * time.Minute, false, false}, {680 * time.Second, false, true},
	} {
		if got := at(s.after, s.behind); got != s.want {
			t.Errorf("after %v, behind %v: a snapshot %v, want %v", s.after, s.behind, got, s.want)
		}
	}
	fail, asked = true, 0
	at(30*time.Minute, false)
	at(30*time.Minute+9*time.Second, false)
	if asked != 1 {
		t.Errorf("asked %d times within 9 s", asked)
	}
	fail = false
	if !at(30*time.Minute+10*time.Second, false) {
		t.Error("not asked again after 10 s")
	}
}

func TestBehind(t *testing.T) {
	b := newBench(t, 1<<20)
	u := b.uplink(uplinkConfig())
	for _, c := range []struct {
		name string
		old  mark
		want bool
	}{
		{"nothing waits", mark{}, false},
		{"a young one", mark{set: true, boot: boot, m: 950_000}, false},
		{"an old one", mark{set: true, boot: boot, m: 930_000}, true},
		{"of another boot", mark{set: true, boot: 3, m: 999_999}, true},
		{"of another boot, by the clock", mark{set: true, boot: 3, known: true, t: wall + 999_999}, false},
	} {
		u.oldest(c.old)
		if got := u.behind(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// What is retained must not name an epoch that is over.
func TestANewEpochIsToldAtOnce(t *testing.T) {
	b := newBench(t, 1<<20)
	cfg := uplinkConfig()
	cfg.Snapshot, cfg.Health = 0, false
	c := control{Uplink: b.uplink(cfg)}
	c.begin(time.Now())
	var got []string
	all := func() {
		for {
			m, ok := c.next(t.Context(), time.Now(), false)
			if !ok {
				return
			}
			got = append(got, m.kind+" "+parse(t, m.payload).Epoch)
		}
	}
	first := b.log.Epoch()
	all()
	second := b.log.NewEpoch()
	all()
	if second == b.log.Epoch() { // NewEpoch returns the former
		t.Fatal("one epoch")
	}
	if want := []string{"status " + first, "meta " + first, "status " + b.log.Epoch(), "meta " + b.log.Epoch()}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
