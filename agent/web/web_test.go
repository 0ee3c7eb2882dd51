package web

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func server() *Server {
	return &Server{
		Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler),
		API: map[string]func(context.Context) (any, error){
			"points": func(context.Context) (any, error) { return map[string]string{"name": "库水位 <1>"}, nil },
			"alarms": func(context.Context) (any, error) { return nil, errors.New("the agent is stopping") },
		},
		Turning: func() (why, degraded []string) { return nil, []string{"uplink county"} },
		Metrics: func() []byte { return []byte("pithead_up 1\n") },
	}
}

func TestWhatIsServed(t *testing.T) {
	s := server()
	stuck := server()
	stuck.Turning = func() (why, degraded []string) { return []string{"bus rs1"}, nil }
	for _, c := range []struct {
		name, method, path string
		server             *Server
		status             int
		body               string
	}{
		{"the page", "GET", "/", s, 200, "<!doctype html>"},
		{"an API", "GET", "/api/v1/points", s, 200, `{"name":"库水位 <1>"}`},
		{"an API whose judge is gone", "GET", "/api/v1/alarms", s, 503, "the agent is stopping"},
		{"an API that is none", "GET", "/api/v1/secrets", s, 404, ""},
		{"health with a dead link", "GET", "/healthz", s, 200, `"degraded":["uplink county"]`},
		{"health with a stuck bus", "GET", "/healthz", stuck, 503, `"why":["bus rs1"]`},
		{"metrics", "GET", "/metrics", s, 200, "pithead_up 1"},
		{"a change", "POST", "/api/v1/points", s, 405, ""},
		{"a file from elsewhere", "GET", "/../etc/passwd", s, 307, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			c.server.Handler().ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

func TestThePageIsSmallAndLoadsNothingFromElsewhere(t *testing.T) {
	if len(page) > 100_000 {
		t.Errorf("%d bytes", len(page))
	}
	for _, banned := range []string{"src=", "href=", "@import", "innerHTML"} {
		if strings.Contains(string(page), banned) {
			t.Errorf("the page has %s", banned)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	server().Handler().ServeHTTP(w, r)
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || string(b) != string(page) {
		t.Errorf("compressed it is another page: %v", err)
	}
}

// Whoever switches the language sees no word of the other one.
func TestThePageHasEveryWordInBothLanguages(t *testing.T) {
	keys := func(from, to string) []string {
		s := string(page)
		s = s[strings.Index(s, from):]
		s = s[:strings.Index(s, to)]
		var ks []string
		for _, m := range regexp.MustCompile(`(\w+): "`).FindAllStringSubmatch(s, -1) {
			ks = append(ks, m[1])
		}
		return ks
	}
	zh, en := keys("zh: {", "en: {"), keys("en: {", "};")
	qualities := []string{"comm", "protocol", "exception", "sensor", "over", "under", "stale", "input", "test"} // English as they are
	for _, k := range zh {
		if !slices.Contains(en, k) && !slices.Contains(qualities, k) {
			t.Errorf("%s has no English word", k)
		}
	}
	for _, k := range append(en, qualities...) {
		if !slices.Contains(zh, k) {
			t.Errorf("%s has no Chinese word", k)
		}
	}
}

func TestItEndsWithItsContextAlsoWhileSomebodyReads(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s, ended := server(), make(chan struct{})
	go func() { s.serve(ctx, l); close(ended) }()
	resp, err := http.Get("http://" + l.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	open, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	cancel()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("it goes on")
	}
}

// What looks on sees first all that is, then what changes, and ends with the server.
func TestAStreamTellsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server()
		turn := 0
		s.Watch = func() func(context.Context) ([]Change, error) {
			return func(context.Context) ([]Change, error) {
				turn++
				switch turn {
				case 1:
					return []Change{{"point", map[string]any{"id": "pond.level", "value": 1.5}}, {"alarm", map[string]any{"id": "a"}}}, nil
				case 2:
					return nil, nil
				}
				return []Change{{"point", map[string]any{"id": "pond.level", "value": 2}}}, nil
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/stream", nil).WithContext(ctx))
		want := "event: point\ndata: {\"id\":\"pond.level\",\"value\":1.5}\n\nevent: alarm\ndata: {\"id\":\"a\"}\n\n:\n\n" +
			":\n\n" + "event: point\ndata: {\"id\":\"pond.level\",\"value\":2}\n\n:\n\n"
		if got := w.Body.String(); got != want || w.Header().Get("Content-Type") != "text/event-stream" {
			t.Errorf("%s %q", w.Header().Get("Content-Type"), got)
		}
	})
}

func TestNoMoreThanSoManyLookOn(t *testing.T) {
	s := server()
	s.Watch = func() func(context.Context) ([]Change, error) {
		return func(context.Context) ([]Change, error) { return nil, nil }
	}
	h := s.Handler()
	ctx, cancel := context.WithCancel(t.Context())
	var on sync.WaitGroup
	for range mostStreams {
		on.Go(func() {
			// Again where the one below has just had the place.
			for ctx.Err() == nil {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/api/v1/stream", nil).WithContext(ctx))
			}
		})
	}
	for refused := 0; refused != http.StatusServiceUnavailable; runtime.Gosched() { // until all have their place
		w := httptest.NewRecorder()
		short, end := context.WithTimeout(ctx, time.Millisecond)
		h.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/stream", nil).WithContext(short))
		refused = w.Code
		end()
	}
	cancel()
	on.Wait()
	w := httptest.NewRecorder()
	gone, end := context.WithCancel(t.Context())
	end()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/stream", nil).WithContext(gone))
	if w.Code != http.StatusOK {
		t.Errorf("a place that was left is not free: %d", w.Code)
	}
}
