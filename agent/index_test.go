package agent

import (
	"fmt"
	"testing"
)

func TestAnIndexFindsEachIdAndNoOther(t *testing.T) {
	for _, n := range []int{0, 1, 2, 1000} {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("d%d.p%d", i*7919%n, i%10) // in no order
		}
		x := newIndex(n, func(i int) string { return ids[i] })
		for i, id := range ids {
			if got, ok := x.find(id); !ok || got != i {
				t.Errorf("%d ids: %s is at %d, found at %d %v", n, id, i, got, ok)
			}
		}
		for _, id := range []string{"", "a", "d1", "z"} {
			if at, ok := x.find(id); ok {
				t.Errorf("%d ids: %q is at %d", n, id, at)
			}
		}
	}
}
