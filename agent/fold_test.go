package agent

import (
	"fmt"
	"reflect"
	"testing"

	"pithead/agent/event"
	"pithead/buffer"
)

// A bus that is gone leaves a fault of each of its points: all of them fit one key.
func TestTenThousandStandingAlarmsFitOneKey(t *testing.T) {
	f := newFold()
	f.Boot, f.BootID, f.Last = 3, "b", []byte(`{"v":1}`)
	for i := range 10_000 {
		f.Alarms[fmt.Sprintf("pit.%d.ch4/fault", i)] = remembered{State: "active", Level: "red", Do: []string{"cutoff"}, Boot: 3, M: int64(i) * 37, T: 1763779200000 + int64(i)*37, N: uint64(i)}
	}
	key := f.key()
	if len(key) > buffer.MaxPayload/2 {
		t.Errorf("the key takes %d bytes", len(key))
	}
	g, err := readKey(key)
	if err != nil || !reflect.DeepEqual(f, g) {
		t.Errorf("read back: %v", err)
	}
	for i := range key {
		if _, err := readKey(key[:i]); err == nil {
			t.Fatalf("%d of %d bytes passed for a key", i, len(key))
		}
		if i > 2000 {
			break
		}
	}
}

// How a register's total began outlives any number of starts: it is in the fold.
func TestWhereACounterBeganIsRemembered(t *testing.T) {
	f := newFold()
	for _, e := range []string{
		`{"v":1,"epoch":"00000000000000000000000000000000","n":1,"boot":1,"m":5,"kind":"input","id":"pond.rain","state":"begun","point":"pond.rain","counter":"holding 5 of 65536, 0.2 each","ahead":0,"chain":"","alg":"ed25519","kid":"k","sig":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}`,
		`{"v":1,"epoch":"00000000000000000000000000000000","n":2,"boot":1,"m":9,"kind":"input","id":"pond.rain","state":"restarted","point":"pond.rain","counter":"holding 5 of 65536, 0.2 each","ahead":9007199254740993,"chain":"","alg":"ed25519","kid":"k","sig":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}`,
		`{"v":1,"epoch":"00000000000000000000000000000000","n":3,"boot":1,"m":9,"kind":"input","id":"door","point":"door","state":"changed","chain":"","alg":"ed25519","kid":"k","sig":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}`,
	} {
		p, err := event.Parse([]byte(e))
		if err != nil {
			t.Fatal(err)
		}
		f.add(p)
	}
	g, err := readKey(f.key())
	if err != nil || len(g.Counters) != 1 || g.Counters["pond.rain"] != (counted{"holding 5 of 65536, 0.2 each", 9007199254740993}) {
		t.Errorf("%+v, %v", g, err)
	}
}
