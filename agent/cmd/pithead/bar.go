package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A bar shows on a terminal how far something long is, and how long it may still
// take. One that nobody looks at, or that is done at once, shows nothing.
type bar struct {
	w     io.Writer
	began time.Time
	shown time.Time
}

const (
	barAfter = 400 * time.Millisecond
	barEvery = 200 * time.Millisecond
	barWidth = 30
)

func newBar(w io.Writer) bar {
	if !isTerminal(w) {
		return bar{}
	}
	return bar{w: w, began: time.Now()}
}

// tell takes the share that is done, 0 to 1.
func (b *bar) tell(share float64) {
	if b.w == nil {
		return
	}
	now := time.Now()
	if now.Sub(b.began) < barAfter || now.Sub(b.shown) < barEvery {
		return
	}
	b.shown = now
	fmt.Fprintf(b.w, "\r%s\x1b[K", barLine(share, now.Sub(b.began)))
}

func barLine(share float64, took time.Duration) string {
	share = min(max(share, 0), 1)
	full := int(share * barWidth)
	line := fmt.Sprintf("[%s%s] %3.0f %%", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), share*100)
	if share > 0.02 {
		left := time.Duration(float64(took) * (1 - share) / share)
		line += fmt.Sprintf(", %v left", left.Round(time.Second))
	}
	return line
}

// end takes the bar away.
func (b *bar) end() {
	if b.w != nil && !b.shown.IsZero() {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
