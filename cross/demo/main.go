// Demo shows pithead at work, with nothing but Go needed and nothing left behind.
//
// It starts a small mine in this process: a tailings pond and a shaft behind
// two Modbus TCP servers, and an MQTT broker. Beside it runs the real agent,
// as a child process with cross/demo/site.yaml, which polls the servers,
// simulates a few GPIO lines, judges, stores and publishes. What a subscriber
// receives is printed. Within the first minute
//
//   - the pond rises over its red limit, the siren goes on, and both end again;
//   - the mine's door opens and closes;
//   - methane goes over its limit: the agent cuts the feed, and sees that it is
//     cut; when the gas has gone the alarm stays latched until the demo
//     acknowledges and resets it, as a person would on the gateway;
//   - the seepage gauge fails for six seconds: its point is bad, with a cause
//     and without a value.
//
// Ctrl-C stops the agent in order, which publishes a last status, stopped.
//
//	go run ./cross/demo [--for 45s] [--pithead build/pithead]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	fl := flag.NewFlagSet("demo", flag.ContinueOnError)
	fl.SetOutput(stderr)
	length := fl.Duration("for", 0, "end after this time; 0 = at Ctrl-C")
	bin := fl.String("pithead", "", "the agent's binary; built if not given")
	if err := fl.Parse(args); err != nil || fl.NArg() > 0 {
		return 2
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if *length > 0 {
		ctx, cancel = context.WithTimeout(ctx, *length)
		defer cancel()
	}
	if err := demo(ctx, *bin, stdout); err != nil {
		fmt.Fprintln(stderr, "demo:", err)
		return 1
	}
	return 0
}

// demo runs until ctx ends or the agent does.
func demo(ctx context.Context, bin string, stdout io.Writer) error {
	dir, err := os.MkdirTemp("", "pithead-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p := newPrinter(stdout, terminal(stdout))
	if bin == "" {
		p.say("building the agent")
		if bin, err = build(ctx, dir); err != nil {
			return err
		}
	}
	m, err := openMine(p.message)
	if err != nil {
		return err
	}
	defer m.close()
	site, err := writeSite(m.addresses, dir)
	if err != nil {
		return err
	}
	p.say("pond on %s, shaft on %s, broker on %s", m.addresses.pond, m.addresses.shaft, m.addresses.broker)
	p.say("the agent's page is http://%s", m.addresses.page)
	a, err := start(bin, dir, site)
	if err != nil {
		return err
	}
	attend(ctx, a, p)
	return finish(a, p)
}

// attend lets the agent run, and does what a person would about the latched alarm.
func attend(ctx context.Context, a *agent, p *printer) {
	const alarm = "gas.ch4/cut"
	var verb string
	var look <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.done:
			return
		case e := <-p.events:
			if e.ID == alarm && e.State == "active" {
				verb, look = "ack", time.After(4*time.Second)
			}
			if e.ID == alarm && e.State == "cleared" {
				verb, look = "reset", time.After(3*time.Second)
			}
		case <-look:
			look = nil
			out, err := a.command(verb, alarm)
			p.say("a person at the gateway: pithead %s %s: %s", verb, alarm, out)
			if err != nil {
				p.say("that was refused: %v", err)
			}
		}
	}
}

// finish stops the agent and waits for its last word to come through the broker.
func finish(a *agent, p *printer) error {
	select {
	case <-a.done:
		if a.err == nil {
			a.err = errors.New("exit status 0")
		}
		return fmt.Errorf("the agent ended by itself: %w\n%s", a.err, a.log.String())
	default:
	}
	p.say("stopping the agent")
	if err := a.stop(); err != nil {
		return fmt.Errorf("%w\n%s", err, a.log.String())
	}
	select {
	case <-p.stopped:
		return nil
	case <-time.After(3 * time.Second):
		return errors.New("the agent published no status \"stopped\"\n" + a.log.String())
	}
}

// terminal says whether w is one that may show colours.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
