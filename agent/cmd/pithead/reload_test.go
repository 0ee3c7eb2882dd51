package main

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"pithead/config"
)

// A disk that hangs: what is written there comes back once somebody reads.
func TestAReloadWaitsForTheDiskBeforeAnythingStops(t *testing.T) {
	dir := t.TempDir()
	file, fifo := filepath.Join(dir, "site.yaml"), filepath.Join(dir, "reload")
	write(t, file, goodSite)
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	r := &runner{file: file, hup: make(chan os.Signal, 1), streams: streams{err: io.Discard}}
	reloaded := make(chan *config.Site, 1)
	go r.reloads(t.Context(), dir, nil, reloaded, slog.New(slog.DiscardHandler))
	r.wakeReload()
	opened := make(chan error, 1)
	go func() {
		f, err := os.Open(fifo) // waits for who writes
		if err == nil {
			f.Close()
		}
		opened <- err
	}()
	if site := <-reloaded; site == nil {
		t.Error("no site")
	}
	select {
	case err := <-opened:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it did not wait for the disk")
	}
}
