package uplink

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"pithead/drivers/lent"
)

const (
	// chunk is written at a time at most, and no more than a kB for each second of
	// patience, so that the deadline asks for progress rather than for a whole
	// message: 256 kB take half a minute on a 64 kbit/s link.
	chunk = 16 << 10
	// sendBuffer bounds what the kernel keeps that is not acknowledged. With
	// megabytes of it a ping on a slow link waits for minutes behind the rest.
	sendBuffer = 64 << 10
	// unsent bounds what of that the kernel has not sent even once: an alarm waits
	// behind it, for a second where the link takes 64 kbit/s.
	unsent = 8 << 10
	// longestRepeat is how long the kernel waits at most until it sends again what was
	// not acknowledged. Where half of all packets are lost its pauses double to two
	// minutes, and an alarm waits for their end. On a link whose answers take
	// longer a segment each two seconds is sent in vain.
	longestRepeat = 2 * time.Second
	// tcpRTOMax is TCP_RTO_MAX_MS of Linux 6.15 (include/uapi/linux/tcp.h).
	tcpRTOMax = 44
)

// dialTCP is a dialer whose connections carry alarms. Where the system does not
// know an option it is slower, no worse.
func dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer)
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent)
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_THIN_LINEAR_TIMEOUTS, 1)
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, tcpRTOMax, int(longestRepeat.Milliseconds()))
		})
	}}
	return d.DialContext(ctx, network, address)
}

// A socket is the connection at its lowest, below TLS and WebSocket. It ends
// when nothing moves for as long as patience, in either direction: the client's
// own check is late, since its ping waits behind stuck writes.
type socket struct {
	net.Conn
	patience time.Duration
}

// repeats is the pause after which the kernel sends again what it has under way;
// zero where there is nothing, or nobody knows.
func (s *socket) repeats() (pause time.Duration) {
	c, ok := s.Conn.(*net.TCPConn)
	if !ok {
		return 0
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		if i, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil && i.Unacked > 0 {
			pause = time.Duration(i.Rto) * time.Microsecond
		}
	})
	return pause
}

func (s *socket) Read(b []byte) (int, error) {
	if err := s.Conn.SetReadDeadline(time.Now().Add(s.patience)); err != nil {
		return 0, err
	}
	return s.Conn.Read(b)
}

func (s *socket) Write(b []byte) (n int, err error) {
	size := min(max(int(s.patience/time.Second), 1)<<10, chunk)
	for n < len(b) && err == nil {
		if err = s.Conn.SetWriteDeadline(time.Now().Add(s.patience)); err != nil {
			return n, err
		}
		var m int
		m, err = s.Conn.Write(b[n:min(n+size, len(b))])
		n += m
	}
	return n, err
}

// Deadlines are the socket's own affair; what is above would take them away.
func (s *socket) SetDeadline(time.Time) error      { return nil }
func (s *socket) SetReadDeadline(time.Time) error  { return nil }
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// mostKept bounds the memory that is kept for the next packet.
const mostKept = 64 << 10

// A pipe is the connection at its highest, as the MQTT client sees it. It keeps
// packets whole (the client pings from a goroutine of its own) and tells when a
// PUBLISH was written, so that never more than one waits in the client.
type pipe struct {
	net.Conn
	in      inlet
	mu      sync.Mutex
	wrote   chan struct{}          // holds one
	payload atomic.Pointer[[]byte] // of the PUBLISH that comes next
	out     []byte                 // its memory
}

// carry has the next PUBLISH carry a payload; the client knows of none. It does
// not wait for a ping that is stuck: whoever publishes may have to end.
func (p *pipe) carry(payload []byte) { p.payload.Store(&payload) }

func (p *pipe) Read(b []byte) (int, error) { return p.in.Read(b) }

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	const publish = 0x30 // in the upper half of a packet's first byte
	isPublish := len(b) > 0 && b[0]&0xf0 == publish
	whole := b
	if isPublish {
		whole = p.loaded(b)
	}
	_, err := p.Conn.Write(whole)
	if cap(p.out) > mostKept { // of a snapshot
		p.out = nil
	}
	// Who refuses a certificate says so and hangs up: what is written meanwhile
	// fails before that was read, but it can still be.
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		if _, last := p.Conn.Read(make([]byte, 1)); refused(last) != nil {
			err = last
		}
	}
	if isPublish {
		select {
		case p.wrote <- struct{}{}:
		default:
		}
	}
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

// loaded is a PUBLISH with its payload (MQTT 3.1.1, 3.3): behind all that the client
// has written, under a remaining length that counts it.
func (p *pipe) loaded(b []byte) []byte {
	body := 1
	for b[body]&0x80 != 0 {
		body++
	}
	body++
	var payload []byte
	if next := p.payload.Swap(nil); next != nil {
		payload = *next
	}
	if lent.On {
		p.out = lent.Again(p.out)
	}
	p.out = appendLength(append(p.out[:0], b[0]), len(b)-body+len(payload))
	p.out = append(append(p.out, b[body:]...), payload...)
	return p.out
}
