package agent

import (
	"fmt"
	"reflect"
	"testing"

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
