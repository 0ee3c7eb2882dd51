package board

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// What can be done to a board that runs. All of it goes through the helper
// inside, which Put, Run and the rest reach by the board's network.

// ask sends one request to the helper.
func (b *Board) ask(method, path string, q url.Values, body io.Reader) ([]byte, error) {
	r, err := http.NewRequest(method, b.base+path+"?"+q.Encode(), body)
	if err != nil {
		return nil, err
	}
	resp, err := b.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the board: %s", strings.TrimSpace(string(text)))
	}
	return text, err
}

// Put writes a file in the board.
func (b *Board) Put(path, content string) error {
	_, err := b.ask(http.MethodPut, "/file", url.Values{"path": {path}}, strings.NewReader(content))
	return err
}

// Run runs a shell script in the board and returns what it printed; the error
// says with which status it ended, if not with 0.
func (b *Board) Run(script string) (string, error) {
	text, err := b.ask(http.MethodPost, "/run", nil, strings.NewReader(script))
	if err != nil {
		return string(text), err
	}
	var r struct {
		Out  string
		Exit int
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return "", err
	}
	if r.Exit != 0 {
		return r.Out, fmt.Errorf("%s: exit %d: %s", script, r.Exit, strings.TrimSpace(r.Out))
	}
	return r.Out, nil
}

// Start starts a command that goes on by itself, and returns its process id.
// What it prints goes to the console.
func (b *Board) Start(command string) (pid int, err error) {
	out, err := b.Run("setsid " + command + " >/dev/console 2>&1 </dev/null & echo $!")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(out))
}

// Pull drives a line that the board reads, up or down.
func (b *Board) Pull(line string, up bool) error {
	_, err := b.ask(http.MethodPost, "/pull", url.Values{"line": {line}, "up": {flag(up)}}, nil)
	return err
}

// Level is a line's level, also of one that the board drives.
func (b *Board) Level(line string) (bool, error) {
	text, err := b.ask(http.MethodGet, "/level", url.Values{"line": {line}}, nil)
	return string(text) == "1", err
}

// Toggle changes a line's level n times, with at least gap between two changes,
// or as fast as the board can, and returns how long that took.
func (b *Board) Toggle(line string, n int, gap time.Duration) (time.Duration, error) {
	text, err := b.ask(http.MethodPost, "/toggle", url.Values{"line": {line}, "n": {strconv.Itoa(n)}, "gap": {gap.String()}}, nil)
	if err != nil {
		return 0, err
	}
	return time.ParseDuration(string(text))
}

// Toggled is how many changes the newest Toggle has made so far.
func (b *Board) Toggled() (int, error) {
	text, err := b.ask(http.MethodGet, "/toggled", nil, nil)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(text))
}

// Halt ends the Toggle that runs, after a whole number of pulses.
func (b *Board) Halt() error {
	_, err := b.ask(http.MethodPost, "/halt", nil, nil)
	return err
}

// Answer pulls a line and returns how long it took, by the board's clock, until
// another had the level that is wanted, and how much of that the board stood still.
func (b *Board) Answer(line string, up bool, of string, want bool, within time.Duration) (took, stood time.Duration, err error) {
	text, err := b.ask(http.MethodPost, "/answer", url.Values{"line": {line}, "up": {flag(up)}, "of": {of}, "want": {flag(want)}, "within": {within.String()}}, nil)
	if err != nil {
		return 0, 0, err
	}
	first, second, _ := strings.Cut(string(text), " ")
	took, err1 := time.ParseDuration(first)
	stood, err2 := time.ParseDuration(second)
	return took, stood, errors.Join(err1, err2)
}

// Plug takes a chip away, or puts it back.
func (b *Board) Plug(label string, in bool) error {
	_, err := b.ask(http.MethodPost, "/plug", url.Values{"chip": {label}, "in": {flag(in)}}, nil)
	return err
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
