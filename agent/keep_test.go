package agent

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pithead/agent/record"
)

func TestAPositionOutlivesItsUplinkForAMonth(t *testing.T) {
	d := newDesk(t)
	d.readings(9)
	d.event("a")
	d.store()
	for _, name := range []string{"data/county", "events/county", "data/city"} {
		d.buf.SetPosition(name, 1)
	}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	day := func(n int) Stamp {
		return Stamp{T: begin.AddDate(0, 0, n).UnixMilli(), Clock: record.Free}
	}
	both, city := map[string]bool{"county": true, "city": true}, map[string]bool{"city": true}
	for _, c := range []struct {
		story   string
		uplinks map[string]bool
		at      Stamp
		want    string
	}{
		{"both are there", both, day(0), "data/city data/county events/county"},
		{"one left, and nobody knows when", city, Stamp{}, "data/city data/county events/county"},
		{"it is gone", city, day(1), "data/city data/county events/county removed/county"},
		{"for a while", city, day(20), "data/city data/county events/county removed/county"},
		{"and comes back", both, day(25), "data/city data/county events/county"},
		{"goes again", city, day(40), "data/city data/county events/county removed/county"},
		{"while the clock was a year ahead", city, day(39), "data/city data/county events/county removed/county"},
		{"thirty days on", city, day(69), "data/city data/county events/county removed/county"},
		{"for long", city, day(70), "data/city"},
		{"and is new", both, day(71), "data/city"},
	} {
		for range 2 { // a position is set while another is dropped
			forget(d.buf, c.uplinks, c.at)
		}
		if got := fmt.Sprint(slices.Sorted(maps.Keys(d.buf.Positions()))); got != "["+c.want+"]" {
			t.Errorf("%s: %s, want %s", c.story, got, c.want)
		}
	}
}
