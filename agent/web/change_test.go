package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhoMayChangeSomething(t *testing.T) {
	var given []string
	open := func() *Server {
		s := server()
		s.Password = func() (string, error) { return "geheim", nil }
		s.Command = func(_ context.Context, by string, body []byte) (any, error) {
			given = append(given, by+" "+string(body))
			return "ok", nil
		}
		return s
	}
	none, unreadable, empty := open(), open(), open()
	none.Password = nil
	unreadable.Password = func() (string, error) { return "", errors.New("password: no such file") }
	empty.Password = func() (string, error) { return "", nil }
	refusing := open()
	refusing.Command = func(context.Context, string, []byte) (any, error) {
		return nil, errors.New("reset needs a signed command")
	}
	for _, c := range []struct {
		name     string
		server   *Server
		password string
		headers  map[string]string
		status   int
		body     string
	}{
		{"the page, with the password", open(), "geheim", map[string]string{"Sec-Fetch-Site": "same-origin"}, 200, "ok"},
		{"a script, with the password", open(), "geheim", nil, 200, "ok"},
		{"a wrong password", open(), "Geheim", nil, 401, "wrong"},
		{"no password", open(), "", nil, 401, "wrong"},
		{"a site file without password", none, "", nil, 403, "names no password"},
		{"a password that can't be read", unreadable, "", nil, 403, "no such file"},
		{"a password that is empty", empty, "", nil, 403, "empty"},
		{"another page in the same phone", open(), "geheim", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403, "another page"},
		{"another page in an old phone", open(), "geheim", map[string]string{"Origin": "http://evil.example"}, 403, "another page"},
		{"a form", open(), "geheim", map[string]string{"Content-Type": "text/plain"}, 415, "application/json"},
		{"what the agent refuses", refusing, "geheim", nil, 409, "signed command"},
	} {
		t.Run(c.name, func(t *testing.T) {
			given = nil
			r := httptest.NewRequest("POST", "/api/v1/command", strings.NewReader(`{"op":"ack"}`))
			r.Header.Set("Content-Type", "application/json")
			if c.password != "" {
				r.SetBasicAuth("", c.password)
			}
			for k, v := range c.headers {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			c.server.Handler().ServeHTTP(w, r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if done := w.Code == 200; done != (len(given) == 1) || done && given[0] != `page:192.0.2.1 {"op":"ack"}` {
				t.Errorf("%v", given)
			}
		})
	}
}

func TestWhoGuessesWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d door
		tries := func(right bool, want ...int) {
			t.Helper()
			for i, w := range want {
				if got, _ := d.try(time.Now(), right); got != w {
					t.Errorf("try %d: %d, want %d", i+1, got, w)
				}
			}
		}
		const no, wait = http.StatusUnauthorized, http.StatusTooManyRequests
		tries(false, no, no, no, no)
		tries(true, 0) // begins the count anew
		tries(false, no, no, no, no, no, wait)
		tries(true, wait) // also for the right one, or guessing would go on
		time.Sleep(shutFor)
		tries(true, 0)
	})
}
