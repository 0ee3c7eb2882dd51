package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// A Change is one thing that is not as it was: Kind says what it is (point,
// alarm, output), Data is it, as the API has it.
type Change struct {
	Kind string
	Data any
}

const (
	streamEach  = time.Second      // how often changes are looked for
	streamWrite = 10 * time.Second // for the other side to take them
	mostStreams = 16               // phones that look on at once
)

// Stream sends changes as server-sent events until the other side goes: first
// all that is, then what becomes different. watch begins one look-out, whose
// calls each return what changed since the one before.
func Stream(watch func() func(context.Context) ([]Change, error)) http.HandlerFunc {
	places := make(chan struct{}, mostStreams)
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		default:
			http.Error(w, fmt.Sprintf("%d look on already", mostStreams), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		next, out := watch(), http.NewResponseController(w)
		turn := time.NewTicker(streamEach)
		defer turn.Stop()
		for {
			changes, err := next(r.Context())
			if err != nil {
				return
			}
			if sendChanges(w, out, changes) != nil {
				return
			}
			select {
			case <-turn.C:
			case <-r.Context().Done():
				return
			}
		}
	}
}

// sendChanges writes changes, and a comment behind them: it says that this is
// all for now, and finds a link that is gone.
func sendChanges(w http.ResponseWriter, out *http.ResponseController, changes []Change) error {
	_ = out.SetWriteDeadline(time.Now().Add(streamWrite)) // a recorder in a test has none
	for _, c := range changes {
		b, err := json.Marshal(c.Data)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", c.Kind, b); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprint(w, ":\n\n"); err != nil {
		return err
	}
	return out.Flush()
}
