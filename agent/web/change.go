package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"sync"
	"time"
)

// maxChange bounds what a page may send.
const maxChange = 16 << 10

// change takes a command from the page: with the password, and from the page
// itself, not from another site that a phone has open. What somebody at the
// gateway may do is for Command to say.
func (s *Server) change() http.HandlerFunc {
	var origin http.CrossOriginProtection
	var door door
	return func(w http.ResponseWriter, r *http.Request) {
		if err := origin.Check(r); err != nil {
			http.Error(w, "this comes from another page", http.StatusForbidden)
			return
		}
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			http.Error(w, "want application/json", http.StatusUnsupportedMediaType) // no form of another page can send that
			return
		}
		if status, why := s.knows(r, &door); status != 0 {
			http.Error(w, why, status)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxChange))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		who, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			who = r.RemoteAddr
		}
		result, err := s.Command(r.Context(), "page:"+who, body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		sendJSON(w, r, http.StatusOK, result)
	}
}

// knows judges the password; 0 is yes.
func (s *Server) knows(r *http.Request, d *door) (status int, why string) {
	if s.Password == nil {
		return http.StatusForbidden, "nothing can be changed here: the site file names no password (web: password)"
	}
	want, err := s.Password()
	switch {
	case err != nil:
		return http.StatusForbidden, "nothing can be changed here: " + err.Error()
	case want == "":
		return http.StatusForbidden, "nothing can be changed here: the password is empty"
	}
	_, got, _ := r.BasicAuth()
	// No word of the way to authenticate: the page asks itself, the browser needn't.
	return d.try(time.Now(), same(got, want))
}

// same takes as long whatever the difference.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// A door stays shut for a while after so many wrong passwords in a row, for
// everybody: who guesses can change the address that he guesses from.
type door struct {
	mu     sync.Mutex
	failed int
	shut   time.Time // until then
}

const (
	mostGuesses = 5
	shutFor     = time.Minute
)

func (d *door) try(now time.Time, right bool) (status int, why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case now.Before(d.shut):
		return http.StatusTooManyRequests, fmt.Sprintf("too many wrong passwords; wait %d s", int(d.shut.Sub(now).Seconds())+1)
	case right:
		d.failed = 0
		return 0, ""
	}
	if d.failed++; d.failed >= mostGuesses {
		d.failed, d.shut = 0, now.Add(shutFor)
	}
	return http.StatusUnauthorized, "the password is wrong"
}
