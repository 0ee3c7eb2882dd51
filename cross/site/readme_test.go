//go:build site

package site

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A block is one fenced block of README.md: its language, the file it is to be
// saved as (the word after the language), and its text.
type block struct{ lang, file, text string }

var fence = regexp.MustCompile("(?ms)^```(\\w+)[ \\t]*([\\w./-]*)[^\\n]*\\n(.*?)^```")

func blocks(text string) (all []block) {
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		all = append(all, block{m[1], m[2], m[3]})
	}
	return all
}

// What runs until someone ends it is ended by the test after a while; what
// would run this test again is left out.
var (
	endless = regexp.MustCompile(`(?m)^(make demo|\S*pithead run\b.*)$`)
	again   = regexp.MustCompile(`(?m)^(make test.*|\.ci/run.*)$`)
)

func script(text string) string {
	text = again.ReplaceAllString(text, "true # $1")
	return endless.ReplaceAllString(text, "endless $1")
}

// Ctrl-C makes make itself report an error, which is not the demo's.
const prologue = `set -euo pipefail
endless() { timeout --preserve-status -s INT 25 "$@" || { s=$?; [ "$1" = make ] && [ $s -ge 128 -o $s -eq 2 ]; }; }
`

// README.md followed word by word on a clean checkout: its sh blocks are run in
// order in one shell, its blocks with a file name are saved under it.
func TestTheREADMEFollowedWordByWord(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	clean := filepath.Join(folder(t), "pithead")
	if out, err := exec.Command("git", "clone", "-q", root, clean).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(clean, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	whole := prologue
	ran := 0
	for _, b := range blocks(string(text)) {
		if b.file != "" {
			whole += fmt.Sprintf("cat > %s <<'END-OF-BLOCK'\n%sEND-OF-BLOCK\n", b.file, b.text)
		} else if b.lang == "sh" {
			whole += script(b.text)
			ran++
		}
	}
	if ran == 0 {
		t.Fatal("README.md has no sh block")
	}
	cmd := exec.Command("bash", "-xc", whole)
	cmd.Dir = clean
	cmd.Env = append(os.Environ(), "PITHEAD_SOCKET="+filepath.Join(folder(t), "sock"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if strings.Contains(whole, "endless make demo") && !strings.Contains(string(out), "status stopped") {
		t.Errorf("the demo's last status is missing:\n%s", out)
	}
	figure(t, "README.md: %d sh blocks followed", ran)
}

func TestBlocksOfAREADME(t *testing.T) {
	got := blocks("a\n```sh\nmake demo\n```\nb\n```yaml site.yaml\nversion: 1\n```\n```\nplain\n```\n")
	want := []block{{"sh", "", "make demo\n"}, {"yaml", "site.yaml", "version: 1\n"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q", got)
	}
	if s := script("make demo\nmake test\n./build/pithead run site.yaml\n"); s != "endless make demo\ntrue # make test\nendless ./build/pithead run site.yaml\n" {
		t.Errorf("script %q", s)
	}
}
