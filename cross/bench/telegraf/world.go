package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// A world is what both programs have around them: devices, a broker, and
// somebody who counts what arrives.
type world struct {
	dir      string
	broker   int
	page     int
	devices  []int // ports
	children []*exec.Cmd
	values   atomic.Int64 // that arrived
	counter  mqtt.Client
}

func (w *world) begin(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	devices := exec.Command(self, "devices")
	out, err := devices.StdoutPipe()
	if err != nil {
		return err
	}
	if err := w.child(devices); err != nil {
		return err
	}
	in := bufio.NewScanner(out)
	for len(w.devices) < deviceCount && in.Scan() {
		port, err := strconv.Atoi(in.Text())
		if err != nil {
			return err
		}
		w.devices = append(w.devices, port)
	}
	if len(w.devices) < deviceCount {
		return errors.New("the devices did not start")
	}
	if w.page, err = freePort(); err != nil {
		return err
	}
	return w.startBroker(ctx)
}

func (w *world) startBroker(ctx context.Context) error {
	var err error
	if w.broker, err = freePort(); err != nil {
		return err
	}
	config := w.write("mosquitto.conf", fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\nuser root\nmax_queued_messages 0\n", w.broker))
	path := "mosquitto"
	if _, err := exec.LookPath(path); err != nil {
		path = "/usr/sbin/mosquitto"
	}
	if err := w.child(exec.Command(path, "-c", config)); err != nil {
		return fmt.Errorf("%w (cross/install.sh site installs it)", err)
	}
	o := mqtt.NewClientOptions().AddBroker(fmt.Sprintf("tcp://127.0.0.1:%d", w.broker)).SetClientID("counter").SetOrderMatters(false)
	w.counter = mqtt.NewClient(o)
	for range 100 {
		t := w.counter.Connect()
		if t.Wait(); t.Error() == nil {
			t = w.counter.Subscribe("#", 0, func(_ mqtt.Client, m mqtt.Message) { w.values.Add(valuesIn(m)) })
			t.Wait()
			return t.Error()
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.New("mosquitto does not answer")
}

// valuesIn is how many good values a message of either program carries.
func valuesIn(m mqtt.Message) (n int64) {
	var msg struct {
		Readings []struct {
			V *json.RawMessage `json:"v"`
		} `json:"readings"`
		Fields map[string]json.RawMessage `json:"fields"`
	}
	if !strings.HasSuffix(m.Topic(), "/data") || json.Unmarshal(m.Payload(), &msg) != nil {
		return 0
	}
	for _, r := range msg.Readings {
		if r.V != nil {
			n++
		}
	}
	return n + int64(len(msg.Fields))
}

func (w *world) child(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	w.children = append(w.children, cmd)
	return nil
}

func (w *world) stop() {
	if w.counter != nil {
		w.counter.Disconnect(100)
	}
	for _, c := range w.children {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
}

// figures are what was measured of one program.
type figures struct {
	name       string
	values     float64 // delivered a second
	busy       float64 // ms of processor time a second
	mean, most float64 // resident bytes
}

func (f figures) per1000() float64 { return f.busy / (f.values / 1000) }

func (w *world) measure(ctx context.Context, warm, span time.Duration, name string, cmd *exec.Cmd) (figures, error) {
	log, err := os.Create(filepath.Join(w.dir, name+".log"))
	if err != nil {
		return figures{}, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), "PITHEAD_SOCKET="+filepath.Join(w.dir, "sock"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return figures{}, err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}()
	if err := pause(ctx, warm); err != nil {
		return figures{}, err
	}
	f := figures{name: name}
	before, began, values := processor(cmd.Process.Pid), time.Now(), w.values.Load()
	n := 0
	for time.Since(began) < span {
		if err := pause(ctx, time.Second); err != nil {
			return f, err
		}
		m := resident(cmd.Process.Pid)
		if m == 0 {
			text, _ := os.ReadFile(log.Name())
			return f, fmt.Errorf("%s has ended:\n%s", name, text[max(0, len(text)-2000):])
		}
		f.mean, f.most, n = f.mean+m, max(f.most, m), n+1
	}
	took := time.Since(began).Seconds()
	f.busy = float64((processor(cmd.Process.Pid) - before).Milliseconds()) / took
	f.values = float64(w.values.Load()-values) / took
	f.mean /= float64(n)
	return f, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// processor is the time that all threads of a process have had (proc(5):
// utime and stime of stat are in ticks of 10 ms).
func processor(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

func resident(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(text))
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.ParseFloat(f[1], 64)
	return pages * float64(os.Getpagesize())
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// serveDevices plays all devices: each register is another number each second.
func serveDevices() {
	var done sync.WaitGroup
	for range deviceCount {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(l.Addr().(*net.TCPAddr).Port)
		done.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go serveDevice(c)
			}
		})
	}
	done.Wait()
}

// serveDevice answers function 3 on one connection.
func serveDevice(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	var q [12]byte
	for {
		if _, err := io.ReadFull(in, q[:]); err != nil {
			return
		}
		at, n := binary.BigEndian.Uint16(q[8:]), binary.BigEndian.Uint16(q[10:])
		if q[7] != 3 || n > 125 {
			return
		}
		a := append([]byte{}, q[:4]...)
		a = binary.BigEndian.AppendUint16(a, 3+2*n)
		a = append(a, q[6], 3, byte(2*n))
		now := uint16(time.Now().Unix())
		for i := range n {
			a = binary.BigEndian.AppendUint16(a, now+7*(at+i))
		}
		if _, err := c.Write(a); err != nil {
			return
		}
	}
}
