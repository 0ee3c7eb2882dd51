// Package probe asks whether something on the network answers: a camera by
// RTSP OPTIONS, a page by HTTP, a port by TCP. Any answer will do, also one
// that asks for a password. It knows nothing of what it asks for.
//
//  1. What answers is 1, what does not is 0: both are good readings, since that
//     is what was asked. A second try comes at once, so that one lost packet is
//     no lost camera.
//  2. A try ends at its timeout, whatever the other side does, and reads no more
//     than a line.
package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"pithead/drivers"
)

// Config is one point with its address.
type Config struct {
	ID      string // of the bus
	Point   string
	URL     string // rtsp, http, https, tcp
	Every   time.Duration
	Timeout time.Duration // of one try
}

// Open makes a bus of one point. It touches no network.
func Open(c Config) (drivers.Bus, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	p := &prober{Config: c, url: u, address: address(u)}
	p.units = []drivers.Unit{{ID: c.ID, Polls: []drivers.Poll{{Every: c.Every, Points: []string{c.Point}, Driver: p}}}}
	return p, nil
}

var ports = map[string]string{"rtsp": "554", "http": "80", "https": "443"}

// address is host and port to dial.
func address(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), ports[u.Scheme])
}

// prober is the bus and its one driver.
type prober struct {
	Config
	url     *url.URL
	address string
	units   []drivers.Unit
	err     error // of the last probe
	closed  bool
}

func (p *prober) Units() []drivers.Unit        { return p.units }
func (p *prober) Output(string) drivers.Output { return nil }
func (p *prober) Close() error                 { p.closed = true; return nil }

// Why is what the last try met.
func (p *prober) Why(string) error { return p.err }

// Read probes, twice if need be.
func (p *prober) Read(ctx context.Context) ([]drivers.Reading, error) {
	if p.closed {
		return []drivers.Reading{drivers.Bad(p.Point, time.Now(), drivers.Comm)}, &drivers.Fault{Quality: drivers.Comm, Err: net.ErrClosed}
	}
	for range 2 {
		if p.err = p.try(ctx); p.err == nil || ctx.Err() != nil {
			break
		}
	}
	r := drivers.Reading{Point: p.Point, At: time.Now(), Value: drivers.BoolValue(p.err == nil)}
	if ctx.Err() != nil {
		return []drivers.Reading{drivers.Bad(p.Point, r.At, drivers.Comm)}, &drivers.Fault{Quality: drivers.Comm, Err: ctx.Err()}
	}
	return []drivers.Reading{r}, nil
}

func (p *prober) try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if p.url.Scheme == "tcp" {
		return nil
	}
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	if p.url.Scheme == "https" { // whether it answers, not who it is
		conn = tls.Client(conn, &tls.Config{ServerName: p.url.Hostname(), InsecureSkipVerify: true})
	}
	if _, err := io.WriteString(conn, p.request()); err != nil {
		return err
	}
	line, err := bufio.NewReader(io.LimitReader(conn, mostLine)).ReadString('\n')
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	if want := p.word(); !strings.HasPrefix(line, want) {
		return fmt.Errorf("what answers does not speak %s", want[:len(want)-1])
	}
	return nil
}

// mostLine is more than any status line.
const mostLine = 1 << 10

// word is what an answer begins with.
func (p *prober) word() string {
	if p.url.Scheme == "rtsp" {
		return "RTSP/"
	}
	return "HTTP/"
}

func (p *prober) request() string {
	if p.url.Scheme == "rtsp" {
		u := *p.url
		u.User = nil
		return "OPTIONS " + u.String() + " RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: pithead\r\n\r\n"
	}
	return "GET " + p.url.RequestURI() + " HTTP/1.1\r\nHost: " + p.url.Host + "\r\nUser-Agent: pithead\r\nConnection: close\r\n\r\n"
}
