package gpio

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
	periph "periph.io/x/conn/v3/gpio"

	"pithead/drivers"
	"pithead/drivers/conform"
)

const ms = time.Millisecond

func TestConforms(t *testing.T) {
	conform.Check(t, conform.Subject{
		Open: func(t *testing.T) drivers.Bus { return openOn(t, newBoard(), siteBoard()) },
		Dead: func(t *testing.T) drivers.Bus {
			f := newBoard()
			f.present = false
			return openOn(t, f, siteBoard())
		},
		Outputs: []string{"siren", "cutoff"},
	})
}

func TestOpeningTouchesNothing(t *testing.T) {
	f := newBoard()
	b := openOn(t, f, siteBoard())
	b.Units()
	b.Output("siren")
	b.SetTotal("rain", 1)
	if b.Close(); f.dials != 0 {
		t.Errorf("the chip was opened %d times before anyone read", f.dials)
	}
}

func TestReadShowsLevelsAsTheyMean(t *testing.T) {
	f := newBoard()
	f.wire(18).L, f.wire(4).L = periph.High, periph.High
	b := openOn(t, f, siteBoard())
	expectLook(t, b, "door=false lamp=true rain=0 ")
	f.wire(18).L, f.wire(4).L = periph.Low, periph.Low
	expectLook(t, b, "door=true lamp=false rain=0 ")
	if f.wire(18).pull != periph.PullUp || f.wire(4).pull != periph.PullNoChange {
		t.Errorf("pulls %v and %v, want up and none", f.wire(18).pull, f.wire(4).pull)
	}
	if d := f.wire(18).asked.debounce; d != 20*ms {
		t.Errorf("the kernel was asked to debounce for %v", d)
	}
	if n := f.wire(17).asked.buffer; n != bufferCounts {
		t.Errorf("a counter has a buffer of %d edges", n)
	}
}

// watching collects what Watch hands on, as "time point=value".
type watching struct {
	began time.Time
	mu    sync.Mutex
	seen  []string
	done  chan error
	stop  context.CancelFunc
}

func watch(t *testing.T, b *bus) *watching {
	ctx, cancel := context.WithCancel(t.Context())
	w := &watching{began: time.Now(), done: make(chan error, 1), stop: cancel}
	go func() {
		w.done <- b.Watch(ctx, func(rs []drivers.Reading) {
			w.mu.Lock()
			defer w.mu.Unlock()
			for i := range rs {
				w.seen = append(w.seen, fmt.Sprintf("%v %s", rs[i].At.Sub(w.began), strings.TrimSpace(show(rs[i:i+1]))))
			}
		})
	}()
	synctest.Wait()
	return w
}

// expect waits until all is told and compares.
func (w *watching) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := strings.Join(w.seen, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("watched\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	w.seen = nil
}

// Promise 2.
func TestEdgesCarryTheKernelsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBoard()
		b := openOn(t, f, siteBoard())
		look(t, b)
		w := watch(t, b)
		time.Sleep(10 * ms)
		f.wire(4).flip(periph.High, 3*ms)
		w.expect(t, "7ms lamp=true")
		time.Sleep(10 * ms)
		f.wire(4).flip(periph.Low, 2*ms)
		f.wire(4).flip(periph.High, 0)
		f.wire(18).flip(periph.Low, 0) // settled by the kernel
		w.expect(t, "18ms lamp=false", "20ms lamp=true", "20ms door=true")
		w.stop()
		if err := <-w.done; err != nil {
			t.Errorf("Watch that was told to end: %v", err)
		}
	})
}

// Promise 3.
func TestDebounceWhereTheKernelCannot(t *testing.T) {
	type flip struct {
		after time.Duration
		level periph.Level
	}
	bounce := func(n int) (fs []flip) { // ends low
		for i := range n {
			fs = append(fs, flip{ms, periph.Level(i%2 == 1)})
		}
		return fs
	}
	for _, c := range []struct {
		story string
		flips []flip
		want  string
		then  string
	}{
		{"eleven edges in 11 ms are one change, at the last", bounce(11), "11ms door=true", "true"},
		{"ten, which end where they began, are none", bounce(10), "", "false"},
		{"a glitch is none", []flip{{ms, periph.Low}, {19 * ms, periph.High}}, "", "false"},
		{"it stood just long enough", []flip{{ms, periph.Low}, {20 * ms, periph.High}}, "1ms door=true 21ms door=false", "false"},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newBoard()
				f.plain = true
				f.wire(18).L = periph.High
				b := openOn(t, f, siteBoard())
				look(t, b)
				w := watch(t, b)
				for _, fl := range c.flips {
					time.Sleep(fl.after)
					f.wire(18).flip(fl.level, 0)
					// A read in mid-bounce shows what is settled, not what is on the wire.
					if now, _ := look(t, b); !strings.HasPrefix(now, "door=") {
						t.Fatal(now)
					}
				}
				time.Sleep(50 * ms)
				synctest.Wait()
				if got := strings.Join(w.seen, " "); got != c.want {
					t.Errorf("watched %q, want %q", got, c.want)
				}
				expectLook(t, b, "door="+c.then+" lamp=false rain=0 ")
				w.stop()
			})
		})
	}
}

// Promise 3.
func TestDebounceDoesNotNeedWatchToRunInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBoard()
		f.plain = true
		c := siteBoard()
		c.Inputs[2].Debounce = 20 * ms
		b := openOn(t, f, c)
		look(t, b)
		p := f.wire(17)
		for range 3 { // three pulses of 30 ms, and nobody looks between
			p.flip(periph.High, 0)
			time.Sleep(30 * ms)
			p.flip(periph.Low, 0)
			p.flip(periph.High, 0)
			p.flip(periph.Low, 0)
			time.Sleep(30 * ms)
		}
		expectLook(t, b, "door=true lamp=false rain=0.6 ")
	})
}

func TestAReadNoticesALevelWhoseEdgeWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBoard()
		f.plain = true
		f.wire(18).L = periph.High
		b := openOn(t, f, siteBoard())
		expectLook(t, b, "door=false lamp=false rain=0 ")
		f.wire(18).L, f.wire(4).L = periph.Low, periph.High
		expectLook(t, b, "door=false lamp=true rain=0 ") // not settled yet
		time.Sleep(20 * ms)
		expectLook(t, b, "door=true lamp=true rain=0 ")
	})
}

// Promise 4.
func TestCountsPulses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBoard()
		b := openOn(t, f, siteBoard())
		b.SetTotal("rain", 99.8)
		b.SetTotal("lamp", 5)      // does not count
		b.SetTotal("elsewhere", 5) // is not here
		expectLook(t, b, "door=true lamp=false rain=99.8 ")
		w := watch(t, b)
		time.Sleep(time.Second)
		f.wire(17).flip(periph.High, 0) // to inactive
		w.expect(t)
		f.wire(17).flip(periph.Low, 2*ms)
		w.expect(t, "998ms rain=100")
		time.Sleep(50 * ms)
		f.wire(17).pulses(3)
		w.expect(t) // told at most every 100 ms
		time.Sleep(50 * ms)
		w.expect(t, "1.05s rain=100.6")
		f.wire(17).pulses(1)
		expectLook(t, b, "door=true lamp=false rain=100.8 ")
		time.Sleep(time.Second)
		w.expect(t) // what was read need not be told again
		w.stop()
	})
}

// Promise 4.
func TestATotalNeverDrifts(t *testing.T) {
	f := newBoard()
	b := openOn(t, f, siteBoard())
	look(t, b)
	f.wire(17).pulses(100_000)
	expectLook(t, b, "door=true lamp=false rain=20000 ")
}

func TestThousandPulsesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBoard()
		b := openOn(t, f, siteBoard())
		look(t, b)
		w := watch(t, b)
		for range 3000 {
			f.wire(17).pulses(1)
			time.Sleep(ms)
		}
		time.Sleep(pace)
		synctest.Wait()
		if n := len(w.seen); n < 25 || n > 32 {
			t.Errorf("3 s of pulses gave %d readings", n)
		}
		if last := w.seen[len(w.seen)-1]; !strings.HasSuffix(last, "rain=600") || b.Lost("rain") != 0 {
			t.Errorf("3000 pulses of 0.2 end with %s, %d lost", last, b.Lost("rain"))
		}
		w.stop()
	})
}

// Promise 5.
func TestLostEdgesAreCounted(t *testing.T) {
	f := newBoard()
	b := openOn(t, f, siteBoard())
	look(t, b)
	p := f.wire(17)
	p.drown(2) // the first two are missing
	p.pulses(2)
	p.drown(7)
	p.pulses(1)
	if n := b.Lost("rain"); n != 9 {
		t.Errorf("%d edges are missing, want 9", n)
	}
	expectLook(t, b, "door=true lamp=false rain=0.6 ") // what was seen, no more

	p.edges(edge{err: unix.EIO}) // the line is asked for anew, and counts from 1
	look(t, b)
	p.pulses(1)
	if n := b.Lost("rain"); n != 9 {
		t.Errorf("a new request counts as %d lost edges", n-9)
	}
	for _, seq := range []uint32{1<<32 - 2, 1<<32 - 1, 0, 1} {
		b.input("lamp").seq = seq - 1
		p4 := edge{level: periph.High, seq: seq}
		b.input("lamp").edge(p4)
	}
	if n := b.Lost("lamp"); n != 0 {
		t.Errorf("numbers that wrap count as %d lost edges", n)
	}
	b.input("lamp").edge(edge{level: periph.High, seq: 1<<32 - 3}) // a step backwards
	if n := b.Lost("lamp"); n != 0 {
		t.Errorf("a number that steps back counts as %d lost edges", n)
	}
	if b.Lost("elsewhere") != 0 {
		t.Error("a point that is not here has lost edges")
	}
}

// Promise 5.
func TestNobodyTakesTheEdges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBoard()
		b := openOn(t, f, siteBoard())
		look(t, b)
		f.wire(4).flip(periph.High, 0) // before Watch: Read has it
		w := watch(t, b)
		w.expect(t)
		w.stop()
		<-w.done
		for i := range most + 5 { // between two runs of Watch they are kept
			f.wire(4).flip(periph.Level(i%2 == 0), 0)
		}
		if n := b.Lost("lamp"); n != 5 {
			t.Errorf("%d lost, want the 5 that did not fit", n)
		}
		w = watch(t, b)
		synctest.Wait()
		if len(w.seen) != most {
			t.Errorf("%d readings were kept, want %d", len(w.seen), most)
		}
		w.stop()
	})
}

// Promise 1.
func TestALineThatIsHeldByAnotherProgram(t *testing.T) {
	f := newBoard()
	f.busy[18] = true
	b := openOn(t, f, siteBoard())
	got, err := look(t, b)
	if got != "door=comm lamp=false rain=0 " || err != nil {
		t.Errorf("%s, %v; want only the door bad, and the board not at fault", got, err)
	}
	if why := b.Why("door"); !errors.Is(why, unix.EBUSY) {
		t.Errorf("the reason is %v", why)
	}
	f.busy[18] = false
	expectLook(t, b, "door=true lamp=false rain=0 ")
	if why := b.Why("door"); why != nil {
		t.Errorf("the reason stays: %v", why)
	}
	if f.dials != 1 {
		t.Errorf("the chip was opened %d times", f.dials)
	}
}

// Promise 1.
func TestALineThatFailsForAWhileIsNotLow(t *testing.T) {
	f := newBoard()
	f.wire(4).L = periph.High
	b := openOn(t, f, siteBoard())
	expectLook(t, b, "door=true lamp=true rain=0 ")
	f.wire(4).sick = unix.EIO
	expectLook(t, b, "door=true lamp=comm rain=0 ")
	f.wire(4).sick = nil
	expectLook(t, b, "door=true lamp=true rain=0 ")
}

// Promise 1.
func TestTheChipVanishesAndComesBack(t *testing.T) {
	for _, c := range []struct {
		story  string
		notice func(f *fakeBoard, b *bus, t *testing.T)
	}{
		{"the reader of edges notices", func(f *fakeBoard, _ *bus, _ *testing.T) { f.wire(17).edges(edge{err: unix.ENODEV}) }},
		{"a read notices", func(_ *fakeBoard, b *bus, t *testing.T) { look(t, b) }},
		{"an output notices", func(_ *fakeBoard, b *bus, t *testing.T) { b.Output("siren").Set(t.Context(), false) }},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newBoard()
				b := openOn(t, f, siteBoard())
				look(t, b)
				b.Output("siren").Set(t.Context(), true)
				f.wire(17).pulses(5)
				w := watch(t, b)
				w.expect(t, "0s rain=1")
				f.present = false
				c.notice(f, b, t)
				w.expect(t, "0s door=comm", "0s lamp=comm", "0s rain=comm")
				if err := <-w.done; !errors.Is(err, unix.ENODEV) {
					t.Errorf("Watch ended with %v", err)
				}
				got, err := look(t, b)
				if got != "door=comm lamp=comm rain=comm " || drivers.FaultOf(err).Quality != drivers.Comm || err == nil {
					t.Errorf("without its chip the board reads %s, %v", got, err)
				}
				if f.opened != 0 || f.wire(18).held {
					t.Error("the old chip and its lines are still held")
				}

				w = watch(t, b)
				w.expect(t) // told once
				f.present = true
				expectLook(t, b, "door=true lamp=false rain=1 ")
				f.wire(17).pulses(1)
				f.wire(4).flip(periph.High, 0)
				time.Sleep(pace)
				w.expect(t, "0s lamp=true", "0s rain=1.2")
				w.stop()
			})
		})
	}
}

// Promise 6.
func TestAFailedLineDoesNotTouchTheOutputs(t *testing.T) {
	f := newBoard()
	b := openOn(t, f, siteBoard())
	look(t, b)
	b.Output("siren").Set(t.Context(), true)
	f.wire(4).edges(edge{err: unix.EIO})
	expectLook(t, b, "door=true lamp=false rain=0 ")
	if !f.wire(22).held || len(f.wire(22).shown) != 1 || f.dials != 1 {
		t.Errorf("the siren's line was touched: held %v, driven %v, chip opened %d times", f.wire(22).held, f.wire(22).shown, f.dials)
	}
	f.wire(4).flip(periph.High, 0) // its edges come again
	if b.input("lamp").seq != 1 {
		t.Error("the line gives no edges any more")
	}
}

// A Read may find the hardware again before Watch has told that it was gone;
// what Watch says then must not undo what Read said.
func TestAFailureThatIsOverBeforeItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBoard()
		b := openOn(t, f, siteBoard())
		look(t, b)
		f.wire(4).edges(edge{err: unix.ENODEV})
		expectLook(t, b, "door=true lamp=false rain=0 ")
		w := watch(t, b)
		w.expect(t)
		if err := <-w.done; !errors.Is(err, unix.ENODEV) {
			t.Errorf("Watch ended with %v", err)
		}
	})
}

func TestClosedWhileWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBoard()
		b := openOn(t, f, siteBoard())
		look(t, b)
		w := watch(t, b)
		b.Close()
		if err := <-w.done; !errors.Is(err, errClosed) {
			t.Errorf("Watch ended with %v", err)
		}
		if f.opened != 0 || f.wire(18).held || f.wire(4).held {
			t.Error("a closed bus still holds something")
		}
	})
}
