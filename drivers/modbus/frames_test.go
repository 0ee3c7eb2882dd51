package modbus

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheLastFramesOfALineAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f frames
		if got := f.lines(); len(got) != 0 {
			t.Fatalf("nothing was sent: %q", got)
		}
		f.note(true, []byte{1, 3, 0, 0, 0, 1, 0x84, 0x0a})
		time.Sleep(5 * time.Millisecond)
		for _, b := range []byte{1, 3, 2, 0, 7, 0xf9, 0x86} { // a tty gives them as they come
			f.note(false, []byte{b})
			time.Sleep(time.Millisecond)
		}
		f.note(false, nil)
		time.Sleep(time.Second)
		f.note(false, []byte{0xff}) // nobody asked
		f.note(true, make([]byte, 100))
		f.note(true, []byte{2})
		want := `2000-01-01T00:00:00.000Z out 010300000001840a
2000-01-01T00:00:00.005Z in  0103020007f986
2000-01-01T00:00:01.012Z in  ff
2000-01-01T00:00:01.012Z out ` + strings.Repeat("00", frameBytes) + `…
2000-01-01T00:00:01.012Z out 02`
		if got := strings.Join(f.lines(), "\n"); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		for i := range 2 * mostFrames {
			f.note(true, []byte{byte(i)})
		}
		got := f.lines()
		if len(got) != mostFrames || !strings.HasSuffix(got[0], fmt.Sprintf(" %02x", mostFrames)) || !strings.HasSuffix(got[mostFrames-1], fmt.Sprintf(" %02x", 2*mostFrames-1)) {
			t.Errorf("%d frames, %s to %s", len(got), got[0], got[len(got)-1])
		}
	})
}
