package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// modbusServer answers over TCP: unit 3 with registers and what it is, unit 4
// with exceptions; it tells every function that it was asked.
func modbusServer(t *testing.T, asked func(function byte)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serveModbus(c, asked)
		}
	}()
	return l.Addr().String()
}

func serveModbus(c net.Conn, asked func(byte)) {
	defer c.Close()
	for {
		head := make([]byte, 7)
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		pdu := make([]byte, int(head[5])-1)
		if _, err := io.ReadFull(c, pdu); err != nil {
			return
		}
		asked(pdu[0])
		var answer []byte
		switch {
		case head[6] == 3 && pdu[0] == 3:
			answer = []byte{3, 2 * pdu[4]}
			for i := range pdu[4] {
				answer = append(answer, 0x12, 0x30+i)
			}
		case head[6] == 3 && pdu[0] == 43:
			answer = append([]byte{43, 14, 1, 1, 0, 0, 2, 0, 4}, "Acme\x01\x02L7"...)
		case head[6] == 3 || head[6] == 4:
			answer = []byte{pdu[0] | 0x80, 1}
		default:
			continue
		}
		head[5] = byte(1 + len(answer))
		if _, err := c.Write(append(head, answer...)); err != nil {
			return
		}
	}
}

func TestScanOfALineThatNobodyHas(t *testing.T) {
	t.Setenv("PITHEAD_SOCKET", filepath.Join(t.TempDir(), "none.sock"))
	at := modbusServer(t, func(function byte) {
		if function != 3 && function != 43 && function != 17 {
			t.Errorf("asked function %d", function)
		}
	})
	for _, c := range []struct {
		story  string
		args   []string
		status int
		out    string
		err    string
	}{
		{"what answers", []string{at, "--units", "2-5"}, done, "says of itself (43/14): Acme L7", ""},
		{"an exception is an answer", []string{at, "--units", "4"}, done, "answers with exception 1 (illegal function)", ""},
		{"nobody", []string{at, "--units", "7"}, wrong, "", "nobody answered"},
		{"no bus", nil, usage, "", "which bus?"},
		{"units that are none", []string{at, "--units", "5-2"}, usage, "", `"5-2" is no range`},
		{"too many", []string{at, "--units", "1-300"}, usage, "", `"1-300" is no range`},
		{"a speed of TCP", []string{at, "--units", "7", "--baud", "9600"}, wrong, "", "only a serial line"},
		{"a speed that is none", []string{at, "--baud", "fast"}, usage, "", `--baud "fast"`},
		{"a parity that is none", []string{at, "--parity", "mark"}, usage, "", `--parity "mark"`},
		{"a line that is not there", []string{"/dev/nowhere"}, wrong, "", "no such file"},
		{"a bus of no site file", []string{"rs1", "--site", "/nowhere.yaml"}, wrong, "", "no agent runs here"},
	} {
		t.Run(c.story, func(t *testing.T) {
			var out, errs strings.Builder
			args := append([]string{"scan"}, c.args...)
			if len(c.args) > 0 {
				args = append(args, "--timeout", "100ms")
			}
			for try := 1; ; try++ { // on a slow machine what answers may answer too late
				out.Reset()
				errs.Reset()
				status := run(context.Background(), args, nil, &out, &errs)
				if status == c.status && strings.Contains(out.String(), c.out) && strings.Contains(errs.String(), c.err) {
					break
				}
				if try == 10 {
					t.Fatalf("exit %d\n%s\n%s", status, out.String(), errs.String())
				}
			}
		})
	}
	var out strings.Builder
	if status := run(context.Background(), []string{"scan", at, "--units", "3,4", "--timeout", "1m", "--json"}, nil, &out, io.Discard); status != done {
		t.Errorf("exit %d", status)
	}
	var found []map[string]any
	if err := json.Unmarshal([]byte(out.String()), &found); err != nil || len(found) != 2 || found[0]["vendor"] != "Acme" || found[1]["exception"] != 1.0 {
		t.Errorf("%s: %v", out.String(), err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var errs strings.Builder
	if status := run(ctx, []string{"scan", at}, nil, io.Discard, &errs); status != wrong || !strings.Contains(errs.String(), "stopped; 0 found so far") {
		t.Errorf("stopped: exit %d, %s", status, errs.String())
	}
}

// While an agent runs, it is the one that asks, between its polls.
func TestScanByTheRunningAgent(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STATE_DIRECTORY", dir)
	t.Setenv("PITHEAD_SOCKET", filepath.Join(dir, "s"))
	at, page := modbusServer(t, func(byte) {}), freePort(t)
	file := filepath.Join(dir, "site.yaml")
	text := fmt.Sprintf("version: 1\nsite: s\ngateway: g\nbuses: {b: {tcp: %q}, pit: {sim: {}}}\ndevices: {level1: {bus: b, unit: 3, every: 50ms}}\n"+
		"points: {p: {device: level1, holding: 0}}\nbuffer: {dir: %s, size: 16MB}\nweb: {listen: %q}\n", at, dir, page)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, page, file)
	defer s.stop()
	var out, errs strings.Builder
	s.until("a scan finds what there is", func() bool {
		out.Reset()
		status := run(context.Background(), []string{"scan", "b", "--units", "2-5", "--timeout", "100ms"}, nil, &out, &errs)
		return status == done && strings.Contains(out.String(), "device level1 of the site file, online") && strings.Contains(out.String(), "unit 4    answers with exception 1")
	})
	s.until("read -v says that it is online", func() bool {
		out.Reset()
		return run(context.Background(), []string{"read", "-v"}, nil, &out, &errs) == done && strings.Contains(out.String(), "\nlevel1  b    online")
	})
	for args, want := range map[string]string{"b --all-speeds": "polls this bus at its own speed", "nope": `there is no bus "nope"`, "pit": "is no Modbus line"} {
		errs.Reset()
		if status := run(context.Background(), append([]string{"scan"}, strings.Fields(args)...), nil, io.Discard, &errs); status != wrong || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: exit %d, %s", args, status, errs.String())
		}
	}
}

// Without an agent too, and in every order.
func TestReadShowsOrdersAndCounts(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PITHEAD_SOCKET", filepath.Join(dir, "none.sock"))
	file := filepath.Join(dir, "site.yaml")
	write(t, file, fmt.Sprintf("version: 1\nsite: s\ngateway: g\nbuses: {b: {tcp: %q, timeout: 60s}}\ndevices: {d: {bus: b, unit: 3}}\n"+
		"points: {p: {device: d, holding: 0, type: u32, order: CDAB}}\n", modbusServer(t, func(byte) {})))
	var out strings.Builder
	status := run(context.Background(), []string{"read", "-v", "--site", file}, nil, &out, io.Discard)
	for _, want := range []string{"1230 1231", "ABCD 305140273  [CDAB 305205808]  BADC 806498578  DCBA 823275538", "\nd     b    -   1      1 "} {
		if status != done || !strings.Contains(out.String(), want) {
			t.Errorf("exit %d, want %s in\n%s", status, want, out.String())
		}
	}
	out.Reset()
	_ = run(context.Background(), []string{"read", "-v", "--json", "--site", file}, nil, &out, io.Discard)
	var got struct {
		Readings []struct{ Orders []struct{ Order string } }
		Units    []struct{ Requests, Good int }
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil || len(got.Readings) != 1 || len(got.Readings[0].Orders) != 4 || len(got.Units) != 1 || got.Units[0].Good != 1 {
		t.Errorf("%s: %v", out.String(), err)
	}
}
