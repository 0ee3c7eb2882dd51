package gpio

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/warthog618/go-gpiocdev/uapi"
	periph "periph.io/x/conn/v3/gpio"
)

// event is what a kernel writes for one edge.
func event(t testing.TB, kind uapi.LineEventID, stamp time.Duration, seq uint32) []byte {
	t.Helper()
	var b bytes.Buffer
	e := uapi.LineEvent{Timestamp: uint64(stamp), ID: kind, Offset: 17, Seqno: seq + 100, LineSeqno: seq}
	if err := binary.Write(&b, binary.NativeEndian, e); err != nil || b.Len() != eventSize {
		t.Fatalf("an event has %d bytes, %v", b.Len(), err)
	}
	return b.Bytes()
}

func TestParseEvent(t *testing.T) {
	now := time.Now()
	e, err := parseEvent(event(t, uapi.LineEventFallingEdge, 90*time.Second, 7), 92*time.Second, now)
	if err != nil || e.level != periph.Low || e.seq != 7 || now.Sub(e.at) != 2*time.Second {
		t.Errorf("a falling edge of 2 s ago, the 7th of its line, became %+v, %v", e, err)
	}
	if e, _ := parseEvent(event(t, uapi.LineEventRisingEdge, 0, 1), 0, now); e.level != periph.High {
		t.Error("a rising edge is not high")
	}
	if e, _ := parseEvent(event(t, uapi.LineEventRisingEdge, 5, 1), 4, now); !e.at.Equal(now) {
		t.Errorf("an edge from the future is of %v, want now", e.at)
	}
	for _, kind := range []uapi.LineEventID{0, 3, 1 << 31} {
		if e, err := parseEvent(event(t, kind, 0, 1), 0, now); err == nil {
			t.Errorf("kind %d was taken for %+v", kind, e)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add(event(f, uapi.LineEventRisingEdge, time.Hour, 1), int64(time.Hour))
	f.Fuzz(func(t *testing.T, b []byte, mono int64) {
		if len(b) < eventSize {
			return
		}
		now := time.Now()
		if e, err := parseEvent(b, time.Duration(max(0, mono)), now); err == nil && e.at.After(now) {
			t.Errorf("an edge of the future: %v", e.at)
		}
	})
}

// A pipe stands in for the kernel's file of a line.
func TestReadingEdges(t *testing.T) {
	for _, c := range []struct {
		story string
		bytes [][]byte
		want  string
	}{
		{"edges of several reads, then the line fails", [][]byte{
			event(t, 1, 0, 1),
			append(event(t, 2, 0, 2), event(t, 1, 0, 3)...),
		}, "High 1, Low 2, High 3, EOF"},
		{"half an event", [][]byte{event(t, 1, 0, 1)[:20]}, "the kernel gave 20 bytes, not whole events"},
		{"an event and a half", [][]byte{append(event(t, 1, 0, 1), 1, 2, 3)}, "High 1, the kernel gave 51 bytes, not whole events"},
		{"an event that is none", [][]byte{event(t, 9, 0, 1)}, "the kernel tells of an unknown kind of event, 9"},
	} {
		t.Run(c.story, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			l := &lineIn{file: r, ended: make(chan struct{}), options: inputOptions{edges: func(e edge) {
				if e.err != nil {
					got = append(got, e.err.Error())
				} else {
					got = append(got, e.level.String()+" "+string(rune('0'+e.seq)))
				}
			}}}
			go l.watch()
			for _, b := range c.bytes {
				w.Write(b)
			}
			w.Close()
			<-l.ended
			if s := strings.Join(got, ", "); s != c.want {
				t.Errorf("got %s, want %s", s, c.want)
			}
		})
	}
}

func TestGivingALineBackIsNoFailure(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	l := &lineIn{file: r, ended: make(chan struct{}), options: inputOptions{edges: func(e edge) {
		t.Errorf("an edge of a line that was given back: %+v", e)
	}}}
	go l.watch()
	if err := l.Halt(); err != nil {
		t.Error(err)
	}
	if _, err := l.Value(); err == nil {
		t.Error("a line that was given back has a level")
	}
}

func TestStampsOfAKernelWhoseClockIsNotKnown(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	wall := time.Duration(now.UnixNano())
	for _, c := range []struct {
		story       string
		stamp, mono time.Duration
		want        time.Duration // ago
	}{
		{"monotonic", time.Hour - 3*ms, time.Hour, 3 * ms},
		{"of the wall", wall - 4*ms, time.Hour, 4 * ms},
		{"soon after boot", 1 * ms, 2 * ms, 1 * ms},
		{"of neither", 17, time.Hour, 0},
	} {
		if got := now.Sub(whenOld(c.stamp, c.mono, now)); got != c.want {
			t.Errorf("%s: %v ago, want %v", c.story, got, c.want)
		}
	}
}
