// Package web serves the local page and its API to whoever stands at the
// gateway with a phone, and to scripts and Prometheus. It knows nothing of
// buses, alarms or the buffer: what it shows it is given, each time it is asked,
// and what somebody wants done it hands on, once it knows that he may ask.
package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	_ "embed"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// A Server is the local page. All functions may be called by any goroutine.
type Server struct {
	Listen string // host:port
	Log    *slog.Logger
	// API is what each path under /api/v1/ returns as JSON.
	API map[string]func(context.Context) (any, error)
	// Turning says whether every loop turns (why names those that don't), and
	// what is degraded all the same.
	Turning func() (why, degraded []string)
	// Metrics is Prometheus text.
	Metrics func() []byte
	// Command does what the body of a request asks for; the error is for people.
	Command func(ctx context.Context, by string, body []byte) (any, error)
	// Password is what a command needs; nil: none is taken.
	Password func() (string, error)
	// Cert and Key are files, for https; both empty: http.
	Cert, Key string
	// Watch begins a look-out for /api/v1/stream.
	Watch func() func(context.Context) ([]Change, error)
}

// again is how often a port that is taken is tried.
const again = 10 * time.Second

// Run serves until ctx ends. A port that can't be had is tried again: the page
// is a convenience, and what guards does not wait for it.
func (s *Server) Run(ctx context.Context) {
	for told := false; ctx.Err() == nil; {
		l, err := net.Listen("tcp", s.Listen)
		if err == nil {
			s.serve(ctx, l)
			return
		}
		if !told {
			s.Log.Warn("no local page", "listen", s.Listen, "err", err)
			told = true
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
		}
	}
}

func (s *Server) serve(ctx context.Context, l net.Listener) {
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		bound, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if srv.Shutdown(bound) != nil {
			_ = srv.Close()
		}
	})
	if s.Cert != "" {
		srv.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(s.Cert, s.Key) // at each handshake: one that was replaced works at once
			return &pair, err
		}}
		l = tls.NewListener(l, srv.TLSConfig)
	}
	err := srv.Serve(l)
	if !errors.Is(err, http.ErrServerClosed) {
		s.Log.Warn("the local page ended", "err", err)
	}
	if !stop() {
		<-ended
	}
}

//go:embed page.html
var page []byte

// Handler answers everything that the page and its API have.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'")
		send(w, r, page)
	})
	for path, get := range s.API {
		mux.HandleFunc("GET /api/v1/"+path, func(w http.ResponseWriter, r *http.Request) {
			v, err := get(r.Context())
			if err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			sendJSON(w, r, http.StatusOK, v)
		})
	}
	mux.HandleFunc("POST /api/v1/command", s.change())
	mux.HandleFunc("GET /api/v1/stream", Stream(s.Watch))
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		send(w, r, s.Metrics())
	})
	return mux
}

// healthz is 200 while all loops turn: a dead link or a full disk must not
// restart what still guards.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	why, degraded := s.Turning()
	status := http.StatusOK
	if len(why) > 0 {
		status = http.StatusServiceUnavailable
	}
	sendJSON(w, r, status, struct {
		OK       bool     `json:"ok"`
		Why      []string `json:"why,omitempty"`
		Degraded []string `json:"degraded,omitempty"`
	}{len(why) == 0, why, degraded})
}

func sendJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if status != http.StatusOK {
		w.WriteHeader(status)
		_, _ = w.Write(b.Bytes())
		return
	}
	send(w, r, b.Bytes())
}

// send compresses where the other side can read it: links at a shaft are slow.
func send(w http.ResponseWriter, r *http.Request, b []byte) {
	if len(b) < 1<<10 || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		_, _ = w.Write(b)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = z.Write(b)
	_ = z.Close()
}
