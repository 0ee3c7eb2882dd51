package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"pithead/agent"
	"pithead/buffer"
	"pithead/config"
)

const defaultSite = "/etc/pithead/site.yaml"

// built is a time that the clock can't be earlier than.
var built = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

// socketPath is where the agent listens and the other commands ask.
func socketPath() string {
	path := os.Getenv("PITHEAD_SOCKET")
	if path == "" {
		path = "/run/pithead"
	}
	if st, err := os.Stat(path); path == "/run/pithead" || err == nil && st.IsDir() {
		return filepath.Join(path, "pithead.sock")
	}
	return path
}

func runRun(ctx context.Context, args []string, s streams) int {
	f := newFlags("run", s)
	site := f.String("site", defaultSite, "")
	format := f.String("log", "text", "")
	socket := f.String("socket", socketPath(), "")
	rest, status, ok := f.parse(args, s, 1)
	if !ok {
		return status
	}
	if len(rest) == 1 {
		*site = rest[0]
	}
	if *format != "text" && *format != "json" {
		fmt.Fprintf(s.err, "pithead run: --log is %q; want text or json\n", *format)
		return usage
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(8) // a small board has more time than memory, and little is thrown away
	}
	if os.Getenv("GOMAXPROCS") == "" {
		// A reading goes through many hands, and to wake another processor for each costs
		// more than what the hand does. The other half is for what else the board is for.
		runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)/2))
	}
	signal.Ignore(syscall.SIGPIPE) // a journal that ends would end who writes to it
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	hup := make(chan os.Signal, 1) // also for what is no signal, but a command
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	r := &runner{file: *site, json: *format == "json", socket: *socket, hup: hup, streams: s}
	return r.run(ctx)
}

// runner runs one site file after another, as reloads bring them.
type runner struct {
	streams
	file, socket string
	json         bool
	hup          chan os.Signal
	level        slog.LevelVar
	before       agent.Left
	crashed      string // what the run before said of its crash
	safe         string // why it is a safe start
	hung         bool   // the disk has taken nothing since the start
}

func (r *runner) run(ctx context.Context) int {
	late := newLateLog(r.err, r.logger(r.err))
	defer late.Close()
	r.err = late
	log := r.logger(r.err)
	site, degraded := r.first(log)
	if site == nil {
		return wrong
	}
	if r.hung = r.hangs(site.Buffer.Dir, mostHang); !r.hung {
		r.afterCrashes(site.Buffer.Dir, log)
	}
	defer func() { r.before.Close(log) }()
	for ctx.Err() == nil {
		next, err := r.once(ctx, site, degraded, log)
		r.crashed, r.safe, r.hung = "", "", false
		switch {
		case errors.Is(err, buffer.ErrLocked):
			log.Error("another agent runs on this buffer", "dir", site.Buffer.Dir)
			return wrong
		case err != nil:
			log.Error("the agent ended", "err", err)
			return wrong
		case next != nil:
			site, degraded = next, ""
		}
	}
	return done
}

// first is the site to begin with: the file's, or the last good one.
func (r *runner) first(log *slog.Logger) (*config.Site, string) {
	site, problems := config.Load(r.file)
	r.print(problems)
	if site != nil {
		return site, ""
	}
	why := config.Why(problems)
	site, err := config.LastGood(r.file)
	if err != nil {
		log.Error("the site file is bad, and there is no last good one", "file", r.file, "err", err)
		return nil, ""
	}
	log.Error("the site file is bad: running the last good one", "file", r.file, "why", why)
	return site, why
}

func (r *runner) print(problems []config.Problem) {
	for _, p := range problems {
		fmt.Fprintln(r.err, p.String())
	}
}

// once runs one site until the end, or until a reload brings another.
func (r *runner) once(ctx context.Context, site *config.Site, degraded string, log *slog.Logger) (next *config.Site, err error) {
	_ = r.level.UnmarshalText([]byte(site.LogLevel)) // it was judged
	if site.Memory > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(site.Memory)
	}
	debug.FreeOSMemory() // reading the site file took many times what is kept of it
	for _, word := range site.Later {
		log.Warn("this version judges but does not act on", "word", word)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	refused := make(chan string)
	reloaded := make(chan *config.Site, 1)
	var beside sync.WaitGroup
	beside.Go(func() {
		r.reloads(ctx, site.Buffer.Dir, refused, reloaded, log)
		cancel(agent.ErrReload)
	})
	beside.Go(func() { trim(ctx) })
	o := agent.Options{
		Version: version, Built: built, Board: agent.BoardSerial(), Socket: r.socket, Log: log, Degraded: degraded, Refused: refused, Before: r.before,
		Crashed: r.crashed, Safe: r.safe, Hung: r.hung,
	}
	if r.safe != "" {
		defer time.AfterFunc(safeFor, r.wakeReload).Stop()
	}
	o.Reload.Check, o.Reload.Do = r.checkReload, r.wakeReload
	r.before, err = agent.Run(ctx, site, o)
	cancel(nil)
	beside.Wait()
	select {
	case next = <-reloaded:
	default:
	}
	return next, err
}

// trim gives memory back that a burst took: the start, a snapshot, statistics. The
// runtime would keep a tenth more than it needs, which a small board needs more.
func trim(ctx context.Context) {
	for after := settled; ; after = time.Minute {
		select {
		case <-time.After(after):
			debug.FreeOSMemory()
		case <-ctx.Done():
			return
		}
	}
}

// settled is when what a start tells has been told.
const settled = 15 * time.Second

// checkReload says why the site file can't be taken now.
func (r *runner) checkReload() error {
	site, problems := config.Load(r.file)
	if site == nil {
		return errors.New(config.Why(problems))
	}
	return nil
}

func (r *runner) wakeReload() {
	select {
	case r.hup <- syscall.SIGHUP:
	default:
	}
}

// reloads waits for a SIGHUP that brings a good site file, and for the disk: one that
// hangs would hold the run that is to end where nobody guards any more.
func (r *runner) reloads(ctx context.Context, dir string, refused chan<- string, reloaded chan<- *config.Site, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.hup:
		}
		site, problems := config.Load(r.file)
		r.print(problems)
		if site != nil {
			late := time.AfterFunc(5*time.Second, func() { log.Warn("the reload waits for the disk", "dir", dir) })
			touch(dir)
			late.Stop()
			log.Info("reload", "file", r.file)
			reloaded <- site
			return
		}
		log.Error("reload refused: the site file is bad", "file", r.file)
		select {
		case refused <- config.Why(problems):
		case <-ctx.Done():
			return
		}
	}
}

// mostHang is how long a start waits for the disk before it guards without one.
const mostHang = 30 * time.Second

// hangs says whether a disk takes nothing for so long. When it does after all, the
// site file is begun with again, on it.
func (r *runner) hangs(dir string, most time.Duration) bool {
	back := make(chan struct{})
	go func() { touch(dir); close(back) }()
	select {
	case <-back:
		return false
	case <-time.After(most):
		go func() { <-back; r.wakeReload() }()
		return true
	}
}

// touch comes back when the disk took something, or refused it.
func touch(dir string) {
	path := filepath.Join(dir, "touch")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_ = f.Sync()
	_ = f.Close()
	_ = os.Remove(path)
}

func (r *runner) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: &r.level}
	if r.json {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
