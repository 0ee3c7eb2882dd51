package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"pithead/agent/command"
	"pithead/agent/web"
	"pithead/drivers"
)

// The local socket is how the other commands speak to the agent that runs:
// HTTP over a unix socket, so that curl can do the same. Who may open the
// socket is for the file system to say; who did is recorded.

// LocalRead is one point as GET /read tells it.
type LocalRead struct {
	Point   string        `json:"point"`
	Name    string        `json:"name,omitempty"`
	Unit    string        `json:"unit,omitempty"`
	T       int64         `json:"t"`
	Value   drivers.Value `json:"value"`
	Quality string        `json:"quality"`
	Code    uint8         `json:"code,omitempty"`
	Raw     []uint16      `json:"raw,omitempty"`
	TookMS  float64       `json:"took-ms"`
	Why     string        `json:"why,omitempty"`    // of a bad one
	Orders  []LocalOrder  `json:"orders,omitempty"` // of a number of two or four registers
}

// LocalOrder is what registers would mean in one byte order, before scaling.
type LocalOrder struct {
	Order string        `json:"order"`
	Value drivers.Value `json:"value"`
	Set   bool          `json:"set,omitempty"` // it is the site file's
}

// serve answers on the local socket until the stage ends. Without a socket the
// agent still guards.
func (a *agent) serve(s *stage) {
	if a.Socket == "" {
		return
	}
	l, err := listen(a.Socket)
	if err != nil {
		a.Log.Warn("no local socket: ack, reset and read can't reach this agent", "path", a.Socket, "err", err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /command", a.serveCommand)
	mux.HandleFunc("POST /signed", a.serveSigned)
	mux.HandleFunc("GET /read", a.serveRead)
	a.serveBuffer(mux)
	mux.HandleFunc("GET /units", a.serveUnits)
	mux.HandleFunc("GET /scan", a.serveScan)
	mux.HandleFunc("GET /stream", web.Stream(a.watch))
	srv := &http.Server{Handler: mux, ConnContext: withPeer, ReadHeaderTimeout: 5 * time.Second,
		BaseContext: func(net.Listener) context.Context { return s.ctx }} // who looks on goes when the stage ends
	s.start(func(ctx context.Context) { _ = srv.Serve(l) })
	s.start(func(ctx context.Context) {
		<-ctx.Done()
		bound, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = srv.Shutdown(bound)
		_ = srv.Close() // what still waits for a bus waits in vain
		_ = os.Remove(a.Socket)
	})
}

func listen(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	// A socket left by an agent that was killed: the buffer's lock says that none runs.
	if st, err := os.Lstat(path); err == nil && st.Mode()&os.ModeSocket != 0 {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	return l, os.Chmod(path, 0o660)
}

// LocalCommand is what POST /command takes: a command that nobody signed.
type LocalCommand struct {
	Op   string       `json:"op"`
	Args command.Args `json:"args"`
	Why  string       `json:"why,omitempty"`
}

// serveCommand does what somebody at the gateway asks for, as far as that one may.
func (a *agent) serveCommand(w http.ResponseWriter, r *http.Request) {
	var c LocalCommand
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, command.MaxEnvelope)).Decode(&c); err != nil {
		http.Error(w, "want op, args and why as JSON: "+err.Error(), http.StatusBadRequest)
		return
	}
	result, err := a.command(r.Context(), command.Command{Op: c.Op, Args: c.Args, Why: c.Why, By: peer(r.Context())})
	answer(w, result, err)
}

// serveSigned does what somebody has signed, who has no other way to the gateway.
func (a *agent) serveSigned(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, command.MaxEnvelope+1))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, result, then, err := a.signed(r.Context(), "", payload)
	answer(w, result, err)
	then()
}

func answer(w http.ResponseWriter, result any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(result)
}

// serveRead reads points now, on their buses, between the polls.
func (a *agent) serveRead(w http.ResponseWriter, r *http.Request) {
	points := r.URL.Query()["point"]
	for _, id := range points {
		if a.judge.find(id) == nil {
			http.Error(w, fmt.Sprintf("there is no point %q", id), http.StatusNotFound)
			return
		}
	}
	out, err := a.readNow(r.Context(), points)
	if err != nil {
		http.Error(w, err.Error(), http.StatusGatewayTimeout)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// readNow reads points, or all where none is named, and waits for every bus.
func (a *agent) readNow(ctx context.Context, points []string) ([]LocalRead, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out := make([]LocalRead, 0, len(points))
	for _, b := range a.loops {
		reply := make(chan []drivers.Inspection, 1)
		b.mail.ask(ask{ctx: ctx, points: a.of(points), reply: reply})
		select {
		case is := <-reply:
			for _, i := range is {
				out = append(out, a.localRead(i))
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("bus %s did not answer", b.id)
		}
	}
	return append(out, a.computedNow(ctx, points)...), nil
}

// of is the points asked for, or all.
func (a *agent) of(points []string) []string {
	if len(points) > 0 {
		return points
	}
	var all []string
	for _, p := range a.site.Points {
		all = append(all, p.ID)
	}
	return all
}

func (a *agent) localRead(i drivers.Inspection) LocalRead {
	l := LocalRead{Point: i.Point, T: a.clock.At(a.clock.M(i.At)).T, Value: i.Value, Quality: i.Quality.String(),
		Code: i.Code, Raw: i.Raw, Why: i.Why, TookMS: float64(i.Took.Microseconds()) / 1000}
	if at := a.judge.find(i.Point); at != nil {
		p := at.cfg
		l.Name, l.Unit = p.Name, p.Unit
		l.Orders = ordersOf(a.site, p, i.Raw)
	}
	return l
}

// computedNow is the latest values of what no bus has, among those asked for:
// computed points, and hours.
func (a *agent) computedNow(ctx context.Context, points []string) []LocalRead {
	var out []LocalRead
	_ = a.judge.ask(ctx, func() {
		for _, p := range a.judge.points {
			if p.cfg.Value == nil && p.cfg.HoursOf == "" || len(points) > 0 && !slices.Contains(points, p.cfg.ID) {
				continue
			}
			i := drivers.Inspection{Reading: a.judge.reading(p)}
			if !p.seen {
				i = drivers.Inspection{Reading: drivers.Reading{Point: p.cfg.ID, At: time.Now(), Quality: drivers.Input}, Why: "has no value yet"}
			}
			out = append(out, a.localRead(i))
		}
	})
	return out
}

type peerKey struct{}

// withPeer notes which user is at the other end of the socket.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return ctx
	}
	name := "local"
	_ = raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
		if err != nil {
			return
		}
		uid := strconv.Itoa(int(cred.Uid))
		if u, err := user.LookupId(uid); err == nil {
			uid = u.Username
		}
		name = "local:" + uid
	})
	return context.WithValue(ctx, peerKey{}, name)
}

func peer(ctx context.Context) string {
	name, _ := ctx.Value(peerKey{}).(string)
	return name
}
