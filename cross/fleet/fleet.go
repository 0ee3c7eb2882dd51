package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"pithead/agent/record"
	"pithead/agent/uplink"
	"pithead/buffer"
	"pithead/config"
	"pithead/drivers"
)

// A gateway is its uplink, and the buffer that its readings wait in.
type gateway struct {
	*uplink.Uplink
	log *buffer.Log
	enc *record.Encoder
}

// A fleet is all gateways; one goroutine fills their buffers.
type fleet struct {
	gateways []*gateway
	ended    sync.WaitGroup
}

func newFleet(ctx context.Context, dir string, urls []string, n int) (*fleet, error) {
	f := &fleet{}
	for i := range n {
		g, err := newGateway(filepath.Join(dir, fmt.Sprint(i)), urls, i)
		if err != nil {
			return f, err
		}
		f.gateways = append(f.gateways, g)
	}
	for i, g := range f.gateways {
		f.ended.Go(func() {
			// They were not all switched on in one moment.
			select {
			case <-time.After(time.Duration(i) * 20 * time.Millisecond):
				_ = g.Run(ctx)
			case <-ctx.Done():
			}
		})
	}
	f.ended.Go(func() { f.fill(ctx) })
	return f, nil
}

func newGateway(dir string, urls []string, i int) (*gateway, error) {
	var ids []string
	for p := range points {
		ids = append(ids, fmt.Sprintf("pond.p%02d", p))
	}
	g := &gateway{}
	var err error
	if g.enc, err = record.NewEncoder(ids, nil); err != nil {
		return nil, err
	}
	if g.log, _, err = buffer.Open(buffer.Config{Dir: dir, Lanes: []buffer.LaneConfig{
		{Name: "events", Size: buffer.MinSize}, {Name: "stats", Size: buffer.MinSize}, {Name: "data", Size: 4 << 20, Key: g.enc.Key}}}); err != nil {
		return nil, err
	}
	id := fmt.Sprintf("gw-%03d", i)
	c := config.Uplink{ID: "county", URLs: urls, ClientID: id, Keepalive: 30 * time.Second, Prefix: "pithead/v1", Data: true, Events: true, Stats: true, Health: true,
		Batch: 500, Within: time.Second, Window: 32, Max: 256_000, Snapshot: 10 * time.Minute, Rate: -1}
	start := time.Now()
	now := func() uplink.Stamp {
		return uplink.Stamp{M: time.Since(start).Milliseconds(), T: time.Now().UnixMilli(), Known: true, Clock: record.Synced}
	}
	g.Uplink = uplink.New(c, uplink.Env{Log: g.log, Site: &config.Site{Site: "fleet", Gateway: id}, Boot: 1, Session: id, Version: "fleet", Now: now, TLS: time.Now,
		Offset: func(uint32) (int64, bool) { return 0, false }, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Snapshot: func(context.Context) (uplink.Snapshot, error) { return uplink.Snapshot{Mode: "running"}, nil },
		Health:   func() uplink.Health { return uplink.Health{} }, Gap: func(uplink.Gap) {}, Heard: func(int64) {}, Anchor: func(uplink.Anchor) {},
		Fork: func(uplink.Fork) {}, Overrun: func(string) {},
		Command: func(context.Context, string, []byte) ([]byte, func()) { return nil, func() {} },
	})
	return g, nil
}

// fill gives each gateway one reading of each point a second.
func (f *fleet) fill(ctx context.Context) {
	begun := time.Now()
	tick := time.NewTicker(time.Second / time.Duration(len(f.gateways)))
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		g := f.gateways[i%len(f.gateways)]
		b := record.Batch{Boot: 1, Clock: record.Synced, Offset: begun.UnixMilli()}
		for p := range points {
			b.Readings = append(b.Readings, record.Reading{Point: fmt.Sprintf("pond.p%02d", p), M: time.Since(begun).Milliseconds(), Value: drivers.NumberValue(float64(i + p))})
		}
		frame, err := g.enc.Append(nil, b)
		if err == nil && g.log.Lane("data").Append(frame, len(b.Readings)) == nil {
			g.enc.Commit()
		}
	}
}

func (f *fleet) wait(d time.Duration, what string, holds func() bool) error {
	for end := time.Now().Add(d); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("not within %v: %s", d, what)
		}
	}
	return nil
}

func (f *fleet) connected() bool {
	for _, g := range f.gateways {
		if !g.State().Connected {
			return false
		}
	}
	return true
}

// delivered says that nothing waits for longer than a few seconds.
func (f *fleet) delivered() bool {
	for _, g := range f.gateways {
		if g.State().Data > 5*points {
			return false
		}
	}
	return true
}

func (f *fleet) close() error {
	f.ended.Wait()
	var errs []error
	for _, g := range f.gateways {
		errs = append(errs, g.log.Close())
	}
	return errors.Join(errs...)
}
