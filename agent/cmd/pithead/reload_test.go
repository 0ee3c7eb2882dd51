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
	file, fifo := filepath.Join(dir, "site.yaml"), filepath.Join(dir, "touch")
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

// A start does not wait for ever, and comes back to the disk when that does.
func TestAStartGuardsWithoutADiskThatHangs(t *testing.T) {
	dir := t.TempDir()
	r := &runner{hup: make(chan os.Signal, 1)}
	if r.hangs(dir, time.Minute) || r.hangs(filepath.Join(dir, "none"), time.Minute) {
		t.Error("nothing hangs there")
	}
	fifo := filepath.Join(dir, "touch")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if !r.hangs(dir, 10*time.Millisecond) {
		t.Fatal("it says that the disk took something")
	}
	if len(r.hup) > 0 {
		t.Error("it begins again while the disk hangs")
	}
	f, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	<-r.hup
}
