package agent

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"pithead/config"
)

// What points and alarms share that have nothing of a kind is nobody's to change: what
// was written there would be so for ten thousand others.
func TestMain(m *testing.M) {
	code := m.Run()
	for name, none := range map[string]any{"ties": noTies, "roots": noRoots, "bonds": noBonds, "life": noLife} {
		if !reflect.ValueOf(none).IsZero() {
			fmt.Printf("FAIL: a test has changed the %s of all that have none: %+v\n", name, none)
			code = 1
		}
	}
	os.Exit(code)
}

// common is what the points of a site share among them, to be compared after a run.
func common(site *config.Site) string {
	var b strings.Builder
	for _, p := range site.Points {
		fmt.Fprintf(&b, "%+v %+v\n", p.Common, p.Own)
	}
	return b.String()
}
