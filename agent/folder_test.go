package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/event"
	"pithead/config"
)

// Whatever a power cut or a hand has done to the buffer's folder: the agent
// comes up judging, tells it, and a trip that was on is still on wherever
// anything is left that knows of it.
func TestWhateverHappenedToTheFolder(t *testing.T) {
	tripping := strings.NewReplacer(
		"[[0s, 4], [10s, 6], [30s, 4]], repeat: 60s", "[[0s, 6]]",
		"for: 3s, do: [siren]", "latch: true, do: [cut]",
		"siren: {gpio: pit/6}", "cut: {kind: trip, gpio: pit/6, on-start: off, first-line: x}").Replace(pondSite)
	calm := strings.Replace(tripping, "[[0s, 6]]", "[[0s, 3]]", 1)
	files := func(t *testing.T, dir, pattern string) []string {
		t.Helper()
		fs, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(fs) == 0 {
			t.Fatalf("no %s in the folder", pattern)
		}
		return fs
	}
	overwrite := func(pattern string, with func(old []byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			for _, f := range files(t, dir, pattern) {
				old, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(f, with(old), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	remove := func(pattern string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			for _, f := range files(t, dir, pattern) {
				if err := os.RemoveAll(f); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	empty := func([]byte) []byte { return nil }
	half := func(old []byte) []byte { return old[:len(old)/2] }
	for _, c := range []struct {
		name   string
		damage func(*testing.T, string)
		knows  bool // something is left that knows of the trip
		told   bool // as a fault, at least
	}{
		{"nothing", func(*testing.T, string) {}, true, false},
		{"an empty identity", overwrite(config.IdentityFile, empty), true, true},
		{"half an identity", overwrite(config.IdentityFile, half), true, true},
		{"no identity", remove(config.IdentityFile), true, true},
		{"another identity", func(t *testing.T, dir string) {
			remove(config.IdentityFile)(t, dir)
			if _, err := event.NewKey(filepath.Join(dir, config.IdentityFile)); err != nil {
				t.Fatal(err)
			}
		}, true, true},
		{"no good site file", remove("site.good.yaml"), true, false},
		{"empty data segments", overwrite("log/data-*", empty), true, false},
		{"no data segments", remove("log/data-*"), true, false},
		{"no log", remove("log"), false, false},
		{"a later version's log", overwrite("log/*", func(old []byte) []byte {
			old[7], old[2048+7] = 99, 99
			return old
		}), false, true},
		{"the newest events zeroed", func(t *testing.T, dir string) {
			fs := files(t, dir, "log/events-*")
			old, err := os.ReadFile(fs[len(fs)-1])
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(fs[len(fs)-1], make([]byte, len(old)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, false, true},
		{"a bad bit among the readings", overwrite("log/data-*", func(old []byte) []byte {
			old[3*4096+60] ^= 1 // the second frame behind the key; others say that it was on disk
			return old
		}), true, true},
		{"a file where the log was", func(t *testing.T, dir string) {
			remove("log")(t, dir)
			if err := os.WriteFile(filepath.Join(dir, "log"), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			dir := t.TempDir()
			site := simSite(t, dir, tripping)
			synctest.Test(t, func(t *testing.T) { runFor(t, site, 5*time.Second) })
			if got := told(t, eventsOf(t, dir)); !strings.HasSuffix(got, "output:cut=on") {
				t.Fatalf("told %q", got)
			}
			c.damage(t, dir)
			site = simSite(t, dir, calm)
			synctest.Test(t, func(t *testing.T) { runFor(t, site, 5*time.Second) })
			at := dir
			if _, err := os.ReadDir(filepath.Join(dir, "log")); err != nil {
				at = filepath.Join(os.TempDir(), "pithead-pond-g1")
			}
			events := eventsOf(t, at)
			if got := told(t, events); c.knows && strings.Contains(got, "output:cut=off") {
				t.Errorf("told %q", got)
			}
			if c.name == "a bad bit among the readings" && !strings.Contains(string(events), `"segment":"data-0000000000000001-0000000000000001.seg","offset":12288,"from":`) {
				t.Errorf("the place was not told\n%s", events)
			}
			fault := strings.Contains(string(events), `"kind":"fault"`) || strings.Contains(string(events), `"agent/buffer"`)
			if c.told && !fault {
				t.Errorf("no fault was told\n%s", events)
			}
		})
	}
}

// A technician removes the folder under the run. It is an alarm, and it comes
// back without a restart: what is stored from then on outlives the run, in the
// same epoch, by the same identity.
func TestTheFolderIsRemovedUnderTheRun(t *testing.T) {
	for _, what := range []string{"", "log", "log/events-*"} {
		dir := filepath.Join(t.TempDir(), "buffer")
		site := simSite(t, dir, pondSite)
		synctest.Test(t, func(t *testing.T) {
			go func() {
				time.Sleep(8500 * time.Millisecond)
				gone, err := filepath.Glob(filepath.Join(dir, what))
				if err != nil || len(gone) == 0 {
					t.Error("nothing to remove")
				}
				for _, path := range gone {
					if err := os.RemoveAll(path); err != nil {
						t.Error(err)
					}
				}
			}()
			runFor(t, site, 25*time.Second)
		})
		key, err := event.LoadKey(filepath.Join(dir, config.IdentityFile))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) { runFor(t, site, 5*time.Second) })
		if _, err := os.Stat(config.GoodPath(dir)); err != nil {
			t.Error(err)
		}
		events := eventsOf(t, dir)
		for _, want := range []string{`"id":"agent/buffer","state":"active"`, "files were removed", `"id":"agent/buffer","state":"normal"`, `"kind":"stop"`} {
			if !strings.Contains(string(events), want) {
				t.Errorf("%q: no %s\n%s", what, want, events)
			}
		}
		r, err := event.Verify(strings.NewReader(string(events)), event.Options{Key: key.PublicKey()})
		if err != nil || len(r.Findings) > 0 || len(r.Epochs) != 1 || r.Epochs[0].First == 1 || strings.Count(string(events), `"kind":"fault"`) > 0 {
			t.Errorf("%q: %+v, %v\n%s", what, r, err, events)
		}
	}
}
