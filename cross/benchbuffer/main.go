// Command benchbuffer measures the buffer against tidwall/wal, bbolt and SQLite,
// and against the bare cost of write and fdatasync of the same bytes, in one run
// on one machine, and prints each goal with yes or no beside it. It is a module
// of its own, so that only who measures downloads the peers.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// bench is one run.
type bench struct {
	work     string
	thousand [][]byte
	big      int // records of the big log
	own      bool
	failed   int
	goals    []string
}

func main() {
	os.Exit(measure())
}

func measure() int {
	big := flag.Int("records", 10_000_000, "records of the big log")
	only := flag.String("only", "", "of: ram card disk readings event big")
	work := flag.String("dir", "", "a folder on the machine's disk")
	own := flag.Bool("own", false, "of the big log only pithead's")
	slot := flag.String("card", "", "be the card in this folder; for its own use")
	slotSize := flag.Int64("card-size", 0, "its size")
	flag.Parse()
	if *slot != "" {
		if err := serveCard(*slot, *slotSize); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	dir, err := os.MkdirTemp(*work, "pithead-bench-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	b := &bench{work: dir, thousand: records(1000), big: *big, own: *own}
	b.all(func(name string) bool { return *only == "" || strings.Contains(*only, name) })
	b.title("goals")
	for _, g := range b.goals {
		fmt.Println("  " + g)
	}
	if b.failed > 0 {
		fmt.Printf("%d of %d are not met\n", b.failed, len(b.goals))
		return 1
	}
	fmt.Printf("all %d are met\n", len(b.goals))
	return 0
}

func (b *bench) all(want func(string) bool) {
	if want("disk") {
		p, err := machineDisk(b.work)
		b.must(err)
		b.rates(p, 1, 30)
		b.rates(p, 100, 30)
	}
	if want("ram") {
		b.in(ramDisk, 900<<20, func(p *place) {
			b.rates(p, 1, 300)
			b.rates(p, 100, 150)
			b.pace(p)
		})
	}
	if want("ram") || want("readings") {
		b.in(calmDisk, 900<<20, func(p *place) {
			if want("ram") {
				b.pace(p)
			}
			if want("readings") {
				b.readings(p)
			}
		})
	}
	if want("card") || want("event") {
		b.in(cardDisk, 900<<20, func(p *place) {
			if want("card") {
				b.rates(p, 1, 20)
				b.rates(p, 100, 15)
			}
			if want("event") {
				b.event(p)
			}
		})
	}
	if want("big") {
		p, err := machineDisk(b.work)
		b.must(err)
		b.bigLog(p)
		b.in(cardDisk, 3<<30, b.openings)
	}
}

// in measures in a place that is made for it; one that this machine can't make
// is a goal not met, not one passed over.
func (b *bench) in(mk func(string, int64) (*place, error), size int64, f func(*place)) {
	p, err := mk(b.work, size)
	defer p.away()
	if err != nil {
		b.goal(false, "%s can't be had on this machine: %v", p.name, err)
		return
	}
	f(p)
}

func (b *bench) must(err error) {
	if err != nil {
		panic(err)
	}
}

func (b *bench) title(format string, args ...any) {
	fmt.Printf("\n%s %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}

func (b *bench) say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func (b *bench) goal(met bool, format string, args ...any) {
	word := "yes"
	if !met {
		word = "NO "
		b.failed++
	}
	b.goals = append(b.goals, word+"  "+fmt.Sprintf(format, args...))
}
