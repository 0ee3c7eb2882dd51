package lent

import (
	"bytes"
	"testing"

	"pithead/drivers"
)

func TestWhatIsOverIsOverwritten(t *testing.T) {
	b := []byte("a frame, and what lies behind it")
	kept := b
	Over(b[:7])
	if !bytes.Equal(kept, bytes.Repeat([]byte{0xA5}, len(kept))) {
		t.Errorf("% x", kept)
	}
	rs := []drivers.Reading{{Point: "a", Value: drivers.NumberValue(1)}}
	if again := Again(rs); again != nil || rs[0] != (drivers.Reading{}) {
		t.Errorf("%v, %v", again, rs)
	}
}
