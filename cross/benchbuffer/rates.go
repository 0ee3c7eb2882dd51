package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const recordSize = 200

// records are n records that nothing can compress.
func records(n int) [][]byte {
	r := rand.NewChaCha8([32]byte{1})
	all := make([][]byte, n)
	for i := range all {
		all[i] = make([]byte, recordSize)
		r.Read(all[i])
	}
	return all
}

const (
	space  = 40 << 20 // of pithead's lane, and what everybody has written before it counts
	rounds = 15
)

// A rate is what one contender's commits took, in rounds that alternate with the
// others': whatever else the machine does hits all of them.
type rate struct {
	name    string
	c       contender
	took    []time.Duration // of each round
	traffic traffic
}

// rates measures commits of n records by everybody in one place. Each has space
// in use before that, so that what is begun only once is over.
func (b *bench) rates(p *place, n, commits int) {
	var all []*rate
	for _, c := range contenders {
		dir := filepath.Join(p.dir, fmt.Sprintf("rate-%d", n), filepath.Base(c.name))
		b.must(os.MkdirAll(dir, 0o700))
		p.slow(false)
		k, err := c.open(dir, space)
		b.must(err)
		if c.name != "raw" {
			for range space/recordSize/1000 + 40 {
				b.must(k.commit(b.thousand))
			}
		}
		all = append(all, &rate{name: c.name, c: k})
	}
	batch := b.thousand[:n]
	for range rounds {
		for _, r := range all {
			unix.Sync() // what others have left to be written is theirs
			p.slow(true)
			was, began := p.traffic(), time.Now()
			for range commits {
				b.must(r.c.commit(batch))
			}
			r.took = append(r.took, time.Since(began))
			r.traffic = r.traffic.and(p.traffic().since(was))
			p.slow(false)
		}
	}
	b.title("%s: %d records of %d bytes a commit", p.name, n, recordSize)
	total := int64(rounds * commits)
	for _, r := range all {
		line := fmt.Sprintf("  %-12s %10v a commit, %.2f of raw", r.name, (trimmed(r.took) / time.Duration(commits)).Round(time.Microsecond), b.ofRaw(all[0], r))
		if p.device != "" {
			line += fmt.Sprintf(", %6d device bytes a commit, %.2f a byte of payload", r.traffic.bytes/total, float64(r.traffic.bytes)/float64(total*int64(n)*recordSize))
		}
		b.say("%s", line)
		b.must(r.c.close())
	}
	b.judgeRate(p, n, all[0], all[1], total)
	b.must(os.RemoveAll(filepath.Join(p.dir, fmt.Sprintf("rate-%d", n))))
}

// ofRaw is the rate of r as a share of raw's: the median of the pairs of rounds
// that stand side by side.
func (b *bench) ofRaw(raw, r *rate) float64 {
	var ratios []float64
	for i := range raw.took {
		ratios = append(ratios, float64(raw.took[i])/float64(r.took[i]))
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// trimmed is the mean of all but the slowest fifth.
func trimmed(all []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(all))
	s = s[:len(s)-len(s)/5]
	var sum time.Duration
	for _, d := range s {
		sum += d
	}
	return sum / time.Duration(len(s))
}

func (b *bench) judgeRate(p *place, n int, raw, r *rate, total int64) {
	least := map[string]map[int]float64{"card": {1: 0.95, 100: 0.95}, "RAM disk": {1: 0.8, 100: 0.7}}[p.name][n]
	if least > 0 {
		got := b.ofRaw(raw, r)
		b.goal(got >= least, "%s, %d a commit: rate at least %.2f of raw: %.2f", p.name, n, least, got)
	}
	if p.device != "" && n == 100 {
		got := float64(r.traffic.bytes) / float64(total*int64(n)*recordSize)
		b.goal(got <= 1.05, "%s, %d a commit: device bytes at most 1.05 of the payload: %.3f", p.name, n, got)
	}
}

// pace measures what single commits of up to 4,000 bytes bring to the device.
func (b *bench) pace(p *place) {
	b.title("%s: device bytes of a commit, by its size and by the pace", p.name)
	for _, c := range []struct {
		size, commits int
		pause         time.Duration
	}{{200, 2000, 0}, {4000, 2000, 0}, {200, 100, 100 * time.Millisecond}, {4000, 100, 100 * time.Millisecond}, {200, 20, time.Second}} {
		dir := filepath.Join(p.dir, "pace")
		var bare traffic // of all commits
		for _, who := range contenders[:2] {
			b.must(os.MkdirAll(dir, 0o700))
			k, err := who.open(dir, space)
			b.must(err)
			if who.name != "raw" {
				for range space/recordSize/1000 + 40 {
					b.must(k.commit(b.thousand))
				}
			}
			payload := [][]byte{slices.Concat(b.thousand[:20]...)[:c.size]}
			unix.Sync()
			was := p.traffic()
			for range c.commits {
				b.must(k.commit(payload))
				time.Sleep(c.pause)
			}
			t := p.traffic().since(was)
			got := (t.bytes + p.over(time.Duration(c.commits)*c.pause)) / int64(c.commits)
			if who.name == "raw" {
				bare = t
			}
			raw := (bare.bytes + p.over(time.Duration(c.commits)*c.pause)) / int64(c.commits)
			what := fmt.Sprintf("%d bytes, a pause of %v: %d device bytes and %.2f flushes a commit", c.size, c.pause, got, float64(t.flushes)/float64(c.commits))
			b.say("  %-12s %s", who.name, what)
			switch {
			case who.name == "raw":
			case c.pause > 0 && p.every == 0: // the journal comes on top
				b.goal(got <= raw+raw/50 && t.flushes <= bare.flushes+2, "%s: at most what raw brings to the device: %s (raw: %d, %.2f)", p.name, what, raw, float64(bare.flushes)/float64(c.commits))
			default:
				b.goal(got <= 4200 && t.flushes <= int64(c.commits+c.commits/20), "%s: at most 4,200 device bytes and one flush: %s (raw: %d)", p.name, what, raw)
			}
			b.must(k.close())
			b.must(os.RemoveAll(dir))
		}
	}
}
