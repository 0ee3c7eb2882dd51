package uplink

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var tryMistakes = flag.Bool("mistakes", false, "build the package with each mistake, and let histories find it (make model)")

// mistakes are what somebody could get wrong, each one change of this package, or of
// one below it.
var mistakes = []struct{ name, file, right, wrong string }{
	{"a position moves when a message is sent", "session.go", "\t\ts.receipts.sent(m)\n", "\t\ts.receipts.sent(m)\n\t\tif m.lane != \"\" && !s.cfg.Receipts {\n\t\t\ts.move(m.lane, m.last)\n\t\t}\n"},
	{"one acknowledgement counts for the whole window", "window.go", "\t\tdefault:\n\t\t\treturn nil\n\t\t}\n\t\tif err", "\t\tdefault:\n\t\t}\n\t\tif err"},
	{"the window has no end", "window.go", "len(s.window) < max(s.cfg.Window, 1)", "len(s.window) < 1000"},
	{"two uplinks share one position", "lane.go", `return lane + "/" + uplink`, `return lane + "/" + uplink[:0]`},
	{"where an uplink begins is not remembered", "uplink.go", "\t\t\tu.Log.SetPosition(Position(name, u.cfg.ID), n)\n", ""},
	{"prev is one too low", "cut.go", "= c.last, lost{}, lost{}, 0,", "= c.last-1, lost{}, lost{}, 0,"},
	{"prev stays where it was", "cut.go", "c.prev, c.lost, c.left, c.items, c.body, c.first = c.last,", "c.prev, c.lost, c.left, c.items, c.body, c.first = c.prev,"},
	{"what does not fit into a message is dropped", "lane.go", "\t\tb.holds = !b.cut.add(&b.held, now)\n", "\t\tb.cut.add(&b.held, now)\n\t\tb.holds = false\n"},
	{"a message spans boots and states of the clock", "cut.go", "(*it.era != c.era || c.full()", "(c.full()"},
	{"a message is longer than it may be", "cut.go", "len(it.json) > c.limit", "len(it.json) > c.limit+100"},
	{"the first reading behind a position is passed over", "feed.go", "if n < f.at {", "if n <= f.at {"},
	{"the first reading behind a loss is passed over", "feed.go", "\tf.at = to + 1\n\treturn &buffer.Lost", "\tf.at = to + 2\n\treturn &buffer.Lost"},
	{"a loss is not told", "cut.go", "\tc.lost.count += l.To - l.From + 1\n", ""},
	{"a loss is told one too small", "cut.go", "c.lost.count += l.To - l.From + 1", "c.lost.count += l.To - l.From"},
	{"the points are not looked at", "codec.go", "takes: config.Matches(r.u.cfg.Points, point)}", "takes: config.Matches(nil, point)}"},
	{"what is left out is not counted", "cut.go", "\tc.left.count++\n", "\tc.left.count = 1\n"},
	{"thin knows no alarms", "thin.go", "keep = keep || c.boot == at.boot &&", "keep = keep || false && c.boot == at.boot &&"},
	{"thin does not wait for alarms", "thin.go", "return at.boot != t.u.Boot ||", "return true || at.boot != t.u.Boot ||"},
	{"after a start thin knows no alarms before it", "thin.go", "if c != nil && (c.at.boot", "if c == nil || (c.at.boot"},
	{"thin's time begins anew with what is left out", "thin.go", "\tif keep {\n", "\tif keep || any {\n"},
	{"readings may spend all of the budget", "budget.go", "s.bytes >= s.u.cfg.Budget/100*shares[kind]", "s.bytes >= 2*s.u.cfg.Budget"},
	{"the budget is counted twice", "budget.go", "s.bytes+int64(len(m.payload)+len(m.topic))", "s.bytes+2*int64(len(m.payload)+len(m.topic))"},
	{"a restart begins the budget anew", "budget.go", "int64(n&(1<<spentBits-1))", "0*int64(n&(1<<spentBits-1))"},
	{"a resend ends too early", "resend.go", `b.feed.until, b.cut.again = "", r.to, r.id`, `b.feed.until, b.cut.again = "", max(r.from, r.to-1), r.id`},
	{"a resend on a new connection leaves one out", "resend.go", "u.resends[i].from = last + 1", "u.resends[i].from = last + 2"},
	{"a resend moves the position", "resend.go", `b.name, b.feed.until`, `_, b.feed.until`},
	{"a resend waits for alarms as thin does", "resend.go", "\tb.feed.codec.(*readings).thin = nil\n", ""},
	{"a resend ends with a message of nothing", "resend.go", " || err == nil && fits && r.feed.at > r.to:", ":"},
	{"the broker's word counts where the platform's should", "state.go", `if lane != "" && !u.cfg.Receipts {`, `if lane != "" {`},
	{"what has no receipt is not sent again", "receipt.go", "case now.Sub(o.since) >= max(o.patient, noReceipt):", "case now.Sub(o.since) >= 1000*longest1:"},
	{"the hash does not follow the message before", "proof.go", "event.AppendHash(m.payload[:len(m.payload)-1], p.h)", "event.AppendHash(m.payload[:len(m.payload)-1], event.Hash{})"},
	{"what is passed over is read when the reader has moved on", "../record/decode.go", "\td.frame = append(d.frame[:0], body...)\n", "\td.frame = body\n"},
	{"an event is kept in the reader's memory", "lane.go", "bytes.Clone(fr.Payload)", "bytes.TrimSpace(fr.Payload)"},
	{"a message is cut while the one before it is on its way", "window.go", "return !s.writing && (", "return ("},
}

// Each mistake stands in this package as it is said here; with -mistakes each
// is made, and some history must find it. A model that finds nothing proves
// nothing.
func TestEveryMistakeIsFound(t *testing.T) {
	for _, m := range mistakes {
		text, err := os.ReadFile(m.file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), m.right); n != 1 {
			t.Errorf("%s: %s holds what is to change %d times", m.name, m.file, n)
			continue
		}
		if !*tryMistakes {
			continue
		}
		said, err := makeMistake(t, m.file, strings.Replace(string(text), m.right, m.wrong, 1))
		found := regexp.MustCompile(`history \d+: .*`).FindString(said)
		switch {
		case err == nil:
			t.Errorf("%s: not found", m.name)
		case found == "":
			t.Errorf("%s: %s", m.name, said[:min(len(said), 2000)])
		default:
			t.Logf("%s: %.200s", m.name, found)
		}
	}
}

// makeMistake runs histories on the package with one file changed.
func makeMistake(t *testing.T, file, text string) (said string, err error) {
	dir := t.TempDir()
	here, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	changed, overlay := filepath.Join(dir, filepath.Base(file)), filepath.Join(dir, "overlay.json")
	replace, _ := json.Marshal(map[string]map[string]string{"Replace": {here: changed}})
	for name, content := range map[string][]byte{changed: []byte(text), overlay: replace} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("go", "test", "-overlay", overlay, "-vet=off", "-tags", "lent", "-count=1", "-run", "TestNoHistory", ".", "-histories", "2000").CombinedOutput()
	return string(out), err
}
