package config

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file beside the test.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

func parseFile(t *testing.T, file string) (*Site, []Problem) {
	t.Helper()
	src, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return Parse(file, src)
}

func said(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.String() + "\n")
	}
	return b.String()
}

func TestMistakesOfEveryKind(t *testing.T) {
	site, problems := parseFile(t, "broken.yaml")
	if site != nil {
		t.Error("a site in spite of its mistakes")
	}
	golden(t, "testdata/broken.golden", said(problems))
}

// Every word that a later version will act on is judged, and named.
func TestWordsOfLater(t *testing.T) {
	site, problems := parseFile(t, "later.yaml")
	if site == nil {
		t.Fatal(said(problems))
	}
	golden(t, "testdata/later.golden", said(problems)+strings.Join(site.Later, "\n")+"\n")
}
