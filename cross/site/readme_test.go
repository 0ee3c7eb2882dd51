//go:build site

package site

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

var fence = regexp.MustCompile("(?ms)^```(\\w+)[^\\n]*\\n(.*?)^```")

// blocks are the fenced blocks of a language, in order.
func blocks(text, lang string) (all []string) {
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if m[1] == lang {
			all = append(all, m[2])
		}
	}
	return all
}

// A reader follows README.md on a clean checkout, on a machine where the parts
// that it names are stand-ins: a serial line with a level gauge, and folders
// that are not the machine's own.
type reader struct {
	t     *testing.T
	clean string // the checkout
	dir   string // stands for /etc/pithead and /var/lib/pithead
	tty   string // stands for /dev/ttyS1
	gauge *slave
	agent *exec.Cmd
}

// README.md followed word by word: each line of each sh block.
func TestTheREADMEFollowedWordByWord(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	text, err := os.ReadFile(filepath.Join(r.clean, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	r.saveSite(string(text))
	lines := 0
	for _, block := range blocks(string(text), "sh") {
		for _, line := range strings.Split(strings.TrimSpace(block), "\n") {
			r.follow(line)
			lines++
		}
	}
	if lines == 0 {
		t.Error("README.md has no sh block")
	}
	r.end()
	figure(t, "README.md: %d commands followed", lines)
}

func newReader(t *testing.T) *reader {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{t: t, dir: folder(t)}
	r.clean = filepath.Join(folder(t), "pithead")
	for _, c := range []string{"git clone -q " + root + " " + r.clean, "make -C " + r.clean + " build"} {
		if out, err := exec.Command("bash", "-c", c).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", c, err, out)
		}
	}
	var far string
	r.tty, far = serialLine(t)
	r.gauge = rtuSlave(t, far, 3)
	r.level(1250)
	return r
}

// level puts a pond level into the gauge: f32, words reversed.
func (r *reader) level(m float32) {
	bits := math.Float32bits(m)
	r.gauge.set("holding", 0, uint16(bits), uint16(bits>>16))
}

func (r *reader) here(text string) string {
	return strings.NewReplacer("/etc/pithead", r.dir, "/var/lib/pithead", filepath.Join(r.dir, "var"), "/dev/ttyS1", r.tty).Replace(text)
}

// saveSite saves the first yaml block where the text says.
func (r *reader) saveSite(text string) {
	y := blocks(text, "yaml")
	if len(y) == 0 || !strings.HasPrefix(y[0], "version: 1") {
		r.t.Fatal("README.md has no site file")
	}
	if err := os.WriteFile(filepath.Join(r.dir, "site.yaml"), []byte(r.here(y[0])), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reader) command(line string) *exec.Cmd {
	cmd := exec.Command("bash", "-c", r.here(line))
	cmd.Dir = r.clean
	cmd.Env = append(os.Environ(), "PITHEAD_SOCKET="+filepath.Join(r.dir, "sock"),
		"PATH="+filepath.Join(r.clean, "build")+":"+os.Getenv("PATH"))
	return cmd
}

func (r *reader) follow(line string) {
	r.t.Helper()
	switch word := line + " "; {
	case strings.HasPrefix(word, "make test"), strings.HasPrefix(word, ".ci/run"):
		// would run this test again
	case strings.HasPrefix(word, "make demo "):
		r.demo(line)
	case strings.HasPrefix(word, "pithead run "):
		r.agent = r.command("exec " + line)
		child(r.t, r.agent)
		agent := r.agent
		r.t.Cleanup(func() { agent.Process.Kill() })
	case strings.HasPrefix(word, "pithead ack "):
		r.until(line, 60*time.Second) // the level is over its limit, for 30 s
		r.level(1247)
	case strings.HasPrefix(word, "pithead reset "):
		r.until(line, 30*time.Second) // the level has to be seen falling
	case strings.HasPrefix(word, "pithead read "):
		// The board is missing here, so the status is 1; the gauge is there.
		r.until("{ "+line+" || true; } 2>&1 | grep 1250", 20*time.Second)
	default:
		if out, err := r.command(line).CombinedOutput(); err != nil {
			r.t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
}

// until tries a line until it has exit status 0.
func (r *reader) until(line string, d time.Duration) {
	r.t.Helper()
	var out []byte
	if !within(d, func() (ok bool) {
		time.Sleep(500 * time.Millisecond)
		var err error
		out, err = r.command(line).CombinedOutput()
		return err == nil
	}) {
		r.t.Errorf("%s: not within %v:\n%s", line, d, out)
	}
}

// demo lets it run until it shows something and presses Ctrl-C, which reaches
// everyone in the terminal.
func (r *reader) demo(line string) {
	r.t.Helper()
	file := filepath.Join(r.dir, "demo.out")
	out, err := os.Create(file)
	if err != nil {
		r.t.Fatal(err)
	}
	defer out.Close()
	cmd := r.command(line)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	said := func() string { text, _ := os.ReadFile(file); return string(text) }
	within(2*time.Minute, func() bool {
		return strings.Contains(said(), "status online") && strings.Contains(said(), "pond.level")
	})
	syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
	cmd.Wait() // make itself may report the Ctrl-C
	for _, want := range []string{"status online", "pond.level", "status stopped"} {
		if !strings.Contains(said(), want) {
			r.t.Errorf("%s: no %q in\n%s", line, want, said())
		}
	}
}

func (r *reader) end() {
	r.t.Helper()
	if r.agent == nil {
		return
	}
	r.agent.Process.Signal(syscall.SIGTERM)
	if err := r.agent.Wait(); err != nil {
		r.t.Errorf("pithead run: %v", err)
	}
}

func TestBlocksOfAREADME(t *testing.T) {
	text := "a\n```sh\nmake demo\n```\nb\n```yaml\nversion: 1\n```\n```\nplain\n```\n```sh\nls\n```\n"
	if got := fmt.Sprintf("%q", blocks(text, "sh")); got != `["make demo\n" "ls\n"]` {
		t.Errorf("got %s", got)
	}
}
