package modbus

import (
	"bytes"
	"context"
	"testing"
	"time"

	"pithead/drivers/lent"
)

// The data of an answer are good until the next request on the line, and where lent.On
// is set nobody finds them there later.
func TestAnAnswerIsGoodUntilTheNextRequest(t *testing.T) {
	data := []byte{0x12, 0x34}
	for transport, answer := range map[Transport][]byte{
		RTU: crced(append([]byte{3, 3, 2}, data...)...),
		TCP: append([]byte{0, 0, 0, 0, 0, 5, 3, 3, 2}, data...),
	} {
		c := line9600(holding("p", 0))
		c.Transport, c.Baud = transport, 115200
		e := &echo{tcp: transport == TCP, answer: answer}
		b, err := open(c, func(context.Context, time.Duration) (Wire, error) { return e, nil })
		if err != nil {
			t.Fatal(err)
		}
		ask := func() []byte {
			got, err := b.send(t.Context(), b.units[0], Holding.function(), 0, 1)
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("transport %d: % x, %v", transport, got, err)
			}
			return got
		}
		kept := ask()
		e.answer = nil // the unit is silent now
		b.units[0].timeout = time.Millisecond
		if _, err := b.send(t.Context(), b.units[0], Input.function(), 0, 1); err == nil {
			t.Fatalf("transport %d: an answer that nobody gave", transport)
		}
		if lent.On && bytes.Equal(kept, data) {
			t.Errorf("transport %d: the answer before is there still", transport)
		}
	}
}
