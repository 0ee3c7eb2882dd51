package main

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pithead/agent/event"
)

// chain is a key, three events that it signed, and the head after the third.
func chain() (key *event.Key, lines []string, head event.Head) {
	key = event.KeyOf(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32)))
	c := event.NewChain(key, "e1")
	for i := range 3 {
		lines = append(lines, string(c.Next(event.Event{Kind: "start", ID: "agent/start"}, event.Stamp{Boot: 1, M: int64(i)}))+"\n")
		c.Commit()
	}
	return key, lines, c.Head()
}

func fileWith(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestVerifyCommand(t *testing.T) {
	key, lines, head := chain()
	whole := fileWith(t, "whole.ndjson", strings.Join(lines, ""))
	hole := fileWith(t, "hole.ndjson", lines[0]+lines[2])
	cut := fileWith(t, "cut.ndjson", lines[0]+lines[1])
	printed := fileWith(t, "key.txt", "key          "+key.Public()+"\nkid          "+key.Kid()+"\n")
	receipt := fileWith(t, "receipt.json", fmt.Sprintf(`{"epoch":"e1","last":9,"event":3,"h":%q}`, head.Hash))
	bare := fileWith(t, "bare.json", fmt.Sprintf(`{"epoch":"e1","event":3,"h":%q}{"epoch":"e1","last":9}`, strings.TrimPrefix(head.Hash.String(), "sha256:")))
	other := event.KeyOf(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{4}, 32))).Public()
	cases := []struct {
		name     string
		args     []string
		in       string
		status   int
		out, err string // parts of them
	}{
		{name: "whole, with the key", args: []string{whole, "--key", key.Public()}, out: "signatures checked against key " + key.Kid()},
		{name: "whole, the key in a file, flag first", args: []string{"--key", printed, whole}, out: "signatures checked against key " + key.Kid()},
		{name: "whole, without", args: []string{whole}, out: "signatures were not checked"},
		{name: "from standard input", args: []string{"-"}, in: strings.Join(lines, ""), out: "epoch e1: 3 events, 1 to 3"},
		{name: "one missing", args: []string{hole}, status: wrong, out: "hole.ndjson:2: removed: event 2: event 2 is missing"},
		{name: "one missing, for scripts", args: []string{hole, "--json"}, status: wrong, out: `"line":2,"what":"removed","epoch":"e1","from":2,"to":2,`},
		{name: "whole, for scripts", args: []string{whole, "--json", "--key", key.Public()}, out: `{"whole":true,"signatures":true,`},
		{name: "another key", args: []string{whole, "--key", other}, status: wrong, out: "other-key"},
		{name: "tail cut, receipt given", args: []string{cut, "--receipt", receipt}, status: wrong, out: "the tail is missing"},
		{name: "receipts without prefix", args: []string{cut, "--receipt", bare}, status: wrong, out: "the tail is missing"},
		{name: "as receipted", args: []string{whole, "--receipt", receipt}, out: "whole: "},
		{name: "empty", args: []string{"-"}, status: wrong, out: "NOT WHOLE"},
		{name: "no such file", args: []string{"/no/such"}, status: wrong, err: "no such file"},
		{name: "a folder", args: []string{t.TempDir()}, status: wrong, err: "is a directory"},
		{name: "no file", status: usage, err: "want a FILE"},
		{name: "two files of one record", args: []string{cut, hole}, out: "hole.ndjson:1: repeated: event 1: the same bytes as " + cut + ":1\n"},
		{name: "no such flag", args: []string{whole, "--keys", "x"}, status: usage, err: "-keys"},
		{name: "not a key", args: []string{whole, "--key", "x"}, status: usage, err: "neither a public key nor a file"},
		{name: "a file without a key", args: []string{whole, "--key", whole}, status: usage, err: "no public key is in the file"},
		{name: "not a receipt", args: []string{whole, "--receipt", printed}, status: usage, err: "not a receipt"},
		{name: "a receipt without a hash", args: []string{whole, "--receipt", fileWith(t, "r", `{"epoch":"e1","event":3}`)}, status: usage, err: "not a receipt"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out, errs strings.Builder
			status := runVerify(c.args, strings.NewReader(c.in), &out, &errs)
			if status != c.status || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.err) {
				t.Fatalf("status %d, want %d\n%s\n%s\nwant %q, %q", status, c.status, &out, &errs, c.out, c.err)
			}
			if (errs.Len() > 0) != (c.err != "") {
				t.Fatalf("stderr: %q", errs.String())
			}
		})
	}
}

// Ten thousand events, and all that can be done to them: each is named with its
// place.
func TestVerifyNamesWhatWasDoneToTenThousandEvents(t *testing.T) {
	key := event.KeyOf(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32)))
	stranger := event.KeyOf(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{5}, 32)))
	c := event.NewChain(key, "e1")
	var lines []string
	for i := range 10_000 {
		lines = append(lines, string(c.Next(event.Event{Kind: "alarm", ID: "pond.level/red", State: "active"}, event.Stamp{Boot: 1, M: int64(i)}))+"\n")
		c.Commit()
	}
	theirs := event.NewChain(stranger, "e1")
	if err := theirs.Resume(5999, []byte(lines[5998])); err != nil {
		t.Fatal(err)
	}
	forged := string(theirs.Next(event.Event{Kind: "alarm", ID: "pond.level/red", State: "normal"}, event.Stamp{Boot: 1, M: 4999})) + "\n"
	receipt := fileWith(t, "receipt.json", fmt.Sprintf(`{"epoch":"e1","event":10000,"h":%q}`, c.Head().Hash))
	verify := func(ls []string, args ...string) (int, string) {
		var out, errs strings.Builder
		status := runVerify(append(args, fileWith(t, "events.ndjson", strings.Join(ls, ""))), strings.NewReader(""), &out, &errs)
		return status, out.String() + errs.String()
	}
	if status, out := verify(lines, "--receipt", receipt); status != done || !strings.Contains(out, "epoch e1: 10000 events, 1 to 10000, following nothing known") {
		t.Errorf("whole: %d\n%s", status, out)
	}
	lines = lines[:9000] // the tail is cut
	lines[5999] = forged
	lines = slices.Insert(lines, 5000, lines[4999])
	lines[3999], lines[4000] = lines[4000], lines[3999]
	lines[2999] = strings.Replace(lines[2999], `"n":3000`, `"n":3001`, 1)
	lines[3000] = strings.Replace(lines[3000], `"n":3001`, `"n":3000`, 1)
	lines[1999] = strings.Replace(lines[1999], `"active"`, `"normal"`, 1)
	lines = slices.Delete(lines, 999, 1000)
	status, out := verify(lines, "--receipt", receipt, "--key", key.Public())
	if status != wrong {
		t.Errorf("status %d", status)
	}
	for _, want := range []string{
		":1000: removed: event 1000: event 1000 is missing before this line\n",
		":1999: altered: event 2000: its signature does not fit its bytes\n",
		":2999: altered: event 3001: its signature does not fit its bytes\n",
		":3000: altered: event 3000: its signature does not fit its bytes\n",
		":4000: out-of-order: event 4000: stands behind event 4001 (line 3999)\n",
		":5000: repeated: event 5000: the same bytes as line 4999\n",
		":6000: other-key: event 6000: signed by the key \"" + stranger.Kid() + "\", which " + key.Kid() + " did not introduce\n",
		": removed: the tail is missing: event 10000 was receipted, the record ends with 9000\n",
		"NOT WHOLE: 6 findings\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%s\nlacks %s", out, want)
		}
	}
}
