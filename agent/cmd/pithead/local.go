package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"pithead/agent"
)

// commandAgent gives the running agent a command that nobody signed; the agent
// decides what somebody at the gateway may do.
func commandAgent(ctx context.Context, c agent.LocalCommand) ([]byte, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return askAgent(ctx, http.MethodPost, "/command", nil, body)
}

// runCommand gives the running agent a command that a platform signed, where
// no network brings it.
func runCommand(ctx context.Context, args []string, s streams) int {
	rest, status, ok := newFlags("command", s).parse(args, s, 1)
	if !ok {
		return status
	}
	if len(rest) != 1 {
		fmt.Fprintln(s.err, "pithead command: which file? See pithead help command")
		return usage
	}
	envelope, err := readFile(rest[0], s.in)
	if err == nil {
		var result []byte
		if result, err = askAgent(ctx, http.MethodPost, "/signed", nil, envelope); err == nil {
			_, _ = s.out.Write(result)
			return done
		}
	}
	fmt.Fprintln(s.err, "pithead command:", err)
	return wrong
}

// readFile reads a file; - is standard input.
func readFile(path string, in io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(in)
	}
	return os.ReadFile(path)
}

// askTime is how long an answer may take: a slow bus has many points.
const askTime = time.Minute

// errNoAgent says that nobody listens on the local socket.
var errNoAgent = errors.New("no agent runs here (nobody listens on " + socketPath() + ")")

// askAgent asks the agent through its socket, and reads the whole answer.
func askAgent(ctx context.Context, method, path string, q url.Values, send []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	body, err := openAgent(ctx, method, path, q, send)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// openAgent asks the agent; the answer is to be read and closed, and breaks off
// when ctx ends. It is not http.Client, whose transport would be half a megabyte
// for one request on one connection.
func openAgent(ctx context.Context, method, path string, q url.Values, send []byte) (*answer, error) {
	c, err := new(net.Dialer).DialContext(ctx, "unix", socketPath())
	switch {
	case errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED):
		return nil, errNoAgent
	case errors.Is(err, os.ErrPermission):
		return nil, errors.New("not allowed to open " + socketPath() + "; try as root, or as a member of its group")
	case err != nil:
		return nil, err
	}
	a := &answer{conn: c, stop: context.AfterFunc(ctx, func() { c.Close() })}
	req, err := http.NewRequestWithContext(ctx, method, "http://pithead"+path+"?"+q.Encode(), bytes.NewReader(send))
	if err == nil {
		err = req.Write(c)
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), req)
	if err != nil {
		a.Close()
		return nil, err
	}
	a.Reader, a.resp = resp.Body, resp
	if resp.StatusCode != http.StatusOK {
		defer a.Close()
		why, err := io.ReadAll(io.LimitReader(a, 64<<10))
		return nil, errors.Join(errors.New(strings.TrimSpace(string(why))), err)
	}
	return a, nil
}

// An answer is what the agent says on one connection.
type answer struct {
	io.Reader
	resp *http.Response
	conn net.Conn
	stop func() bool
}

// trailer is what the agent said behind the body, once that was read.
func (a *answer) trailer(name string) string { return a.resp.Trailer.Get(name) }

func (a *answer) Close() error {
	a.stop()
	return a.conn.Close()
}
