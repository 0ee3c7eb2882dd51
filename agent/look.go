package agent

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"pithead/agent/export"
	"pithead/buffer"
)

// What is in a buffer, for whoever asks: straight from the folder, or through
// the local socket for those who may not open the folder.

// LocalBuffer is what GET /buffer tells: where to look.
type LocalBuffer struct {
	Dir       string        `json:"dir"`
	UTCOffset time.Duration `json:"utc-offset"` // of the site
}

// ResultTrailer follows an export through the socket: an export.Result as JSON.
const ResultTrailer = "Pithead-Result"

// Look opens a folder for an export.
func Look(dir string) (export.Source, error) {
	v, err := buffer.OpenView(dir)
	if err != nil {
		return export.Source{}, err
	}
	f, _ := readFold(kept(v, laneEvents)) // what can't be read of it the export tells itself, or the check
	return export.Source{View: v, Offsets: f.Offsets}, nil
}

// Zone is a site's own time.
func Zone(utcOffset time.Duration) *time.Location {
	name := time.Unix(0, 0).In(time.FixedZone("", int(utcOffset/time.Second))).Format("-07:00")
	return time.FixedZone(name, int(utcOffset/time.Second))
}

func (a *agent) serveBuffer(mux *http.ServeMux) {
	mux.HandleFunc("GET /buffer", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, LocalBuffer{a.dir, a.site.UTCOffset}, nil)
	})
	mux.HandleFunc("GET /buffer/stat", a.lookInto(func(_ context.Context, s export.Source, w http.ResponseWriter, _ *http.Request) {
		answer(w, export.Look(a.dir, s.View), nil)
	}))
	mux.HandleFunc("GET /buffer/check", a.lookInto(func(ctx context.Context, s export.Source, w http.ResponseWriter, _ *http.Request) {
		h, err := export.Check(ctx, a.dir, s.View, nil)
		answer(w, h, err)
	}))
	mux.HandleFunc("GET /buffer/export", a.lookInto(a.serveExport))
}

// lookInto lets one at a time read through the buffer: it is the agent's
// processor and memory that this takes.
func (a *agent) lookInto(f func(context.Context, export.Source, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !a.looking.TryLock() {
			http.Error(w, "somebody else is reading the buffer through the agent; try again", http.StatusConflict)
			return
		}
		defer a.looking.Unlock()
		s, err := Look(a.dir)
		if err != nil {
			answer(w, nil, err)
			return
		}
		f(r.Context(), s, w, r)
	}
}

func (a *agent) serveExport(ctx context.Context, s export.Source, w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query() // not FormValue, which would bring multipart forms into the binary
	q, err := export.Parse(v.Get("from"), v.Get("to"), v["point"], v.Get("events") != "", v.Get("format"), Zone(a.site.UTCOffset))
	if err != nil {
		answer(w, nil, err)
		return
	}
	w.Header().Set("Trailer", ResultTrailer)
	res, err := export.Export(ctx, s, q, w, nil)
	if err != nil {
		res.Error = err.Error()
	}
	if text, err := json.Marshal(res); err == nil {
		w.Header().Set(ResultTrailer, string(text))
	}
}
