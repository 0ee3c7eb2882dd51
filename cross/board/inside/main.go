// Command inside is the helper in an emulated board: it makes the GPIO chips and
// does what the tests outside ask for, over HTTP.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"
)

func main() {
	cs, err := makeChips("/etc/chips")
	if err != nil {
		fmt.Fprintln(os.Stderr, "inside:", err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	for path, f := range map[string]func(*http.Request) (string, error){
		"GET /ready":   func(*http.Request) (string, error) { return "", nil },
		"PUT /file":    put,
		"POST /run":    runScript,
		"POST /pull":   cs.pullLine,
		"GET /level":   cs.levelOf,
		"POST /toggle": cs.toggle,
		"GET /toggled": cs.toggled,
		"POST /halt":   cs.halt,
		"POST /answer": cs.answer,
		"POST /plug":   cs.plug,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			text, err := f(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			_, _ = io.WriteString(w, text)
		})
	}
	fmt.Fprintln(os.Stderr, "inside:", http.ListenAndServe(":80", mux))
}

func put(r *http.Request) (string, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	return "", os.WriteFile(r.FormValue("path"), b, 0o600)
}

func runScript(r *http.Request) (string, error) {
	script, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(r.Context(), "/bin/sh", "-c", string(script))
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Out": string(out), "Exit": cmd.ProcessState.ExitCode()})
	return string(text), err
}

func (cs *chips) pullLine(r *http.Request) (string, error) {
	f, err := cs.open(r.FormValue("line"), "pull", os.O_WRONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return "", pull(f, r.FormValue("up") == "1")
}

func (cs *chips) levelOf(r *http.Request) (string, error) {
	f, err := cs.open(r.FormValue("line"), "value", os.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	high, err := level(f)
	if high {
		return "1", err
	}
	return "0", err
}

func (cs *chips) toggle(r *http.Request) (string, error) {
	n, err := strconv.Atoi(r.FormValue("n"))
	if err != nil {
		return "", err
	}
	gap, err := time.ParseDuration(r.FormValue("gap"))
	if err != nil {
		return "", err
	}
	v, err := cs.open(r.FormValue("line"), "value", os.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer v.Close()
	high, err := level(v)
	if err != nil {
		return "", err
	}
	f, err := cs.open(r.FormValue("line"), "pull", os.O_WRONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	cs.done.Store(0)
	cs.enough.Store(false)
	began := time.Now()
	for i := range n {
		if i%2 == 0 && cs.enough.Load() {
			break
		}
		if wait := time.Until(began.Add(time.Duration(i) * gap)); wait > 0 {
			time.Sleep(wait)
		}
		high = !high
		if err := pull(f, high); err != nil {
			return "", err
		}
		cs.done.Store(int64(i + 1))
	}
	return time.Since(began).String(), nil
}

func (cs *chips) toggled(*http.Request) (string, error) {
	return strconv.FormatInt(cs.done.Load(), 10), nil
}

func (cs *chips) halt(*http.Request) (string, error) {
	cs.enough.Store(true)
	return "", nil
}

func (cs *chips) answer(r *http.Request) (string, error) {
	within, err := time.ParseDuration(r.FormValue("within"))
	if err != nil {
		return "", err
	}
	of, err := cs.open(r.FormValue("of"), "value", os.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer of.Close()
	want := r.FormValue("want") == "1"
	began := time.Now()
	if _, err := cs.pullLine(r); err != nil {
		return "", err
	}
	var before, stood time.Duration
	for {
		is, err := level(of)
		took := time.Since(began)
		if late := took - before; late > stalled {
			stood += late
		}
		before = took
		switch {
		case err != nil:
			return "", err
		case is == want:
			return took.String() + " " + stood.String(), nil
		case took > within:
			return "", fmt.Errorf("%s did not follow within %v", r.FormValue("of"), within)
		}
		time.Sleep(200 * time.Microsecond) // the agent has the same processor
	}
}

// stalled is more than a look at a line takes with its pause, on a board that is
// not held up.
const stalled = 10 * time.Millisecond
