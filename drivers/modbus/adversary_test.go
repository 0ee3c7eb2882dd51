package modbus

import (
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sort"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pithead/drivers"
)

// An adversary is all units of a line: it lies in every way that lessons in the
// field have taught, but answers the requests to one unit in their order, and
// none later than the unit may owe it.
//
// Each value says where and when it was sampled: unit and register in its upper
// half, milliseconds in its lower. One published for another register or from
// before its request is a lie believed.
type adversary struct {
	mu      sync.Mutex // of play, in earnest
	rnd     *rand.Rand
	tcp     bool
	ascii   bool
	slow    bool // real time: what needs many timers is left out
	late    time.Duration
	start   time.Time
	timeout time.Duration
	busy    map[byte]time.Time // when the unit's last answer goes out
}

func (a *adversary) play(_ int, r []byte, say sayer) {
	pdu := r
	switch {
	case a.tcp:
		pdu = r[6:]
	case a.ascii:
		pdu, _ = hex.DecodeString(string(r[1 : len(r)-2]))
	}
	send := a.when(pdu[0])
	say0 := func(b []byte) { say(time.Until(send), b) }
	answer := a.frame(r, pdu, send)
	lie := a.rnd.IntN(16)
	if a.tcp && (lie == 1 || lie == 4) {
		lie = 0 // a stream without checksums that loses or mixes bytes can't be told from a sound one
	}
	switch lie {
	case 0: // silent
	case 1:
		say0(answer[:1+a.rnd.IntN(len(answer)-1)])
	case 2:
		i := a.rnd.IntN(len(answer))
		if a.tcp {
			i = 2 + i%7 // TCP's own checksum looks after values; ids that lie can't be told
		}
		answer[i] ^= 1 << a.rnd.IntN(8)
		say0(answer)
	case 3:
		say0(append(append([]byte(nil), answer...), answer...))
	case 4:
		gap := time.Duration(a.rnd.IntN(6)) * time.Millisecond
		for i, b := range answer {
			say(time.Until(send)+time.Duration(i)*gap, []byte{b})
		}
	case 5:
		say(time.Until(send)/2, a.noise())
		say0(answer)
	case 6:
		say0(append(answer, a.noise()...))
	case 7: // another unit's answer to this
		other := append([]byte(nil), pdu...)
		other[0] = pdu[0]%3 + 1
		if !a.inTime(send) {
			other[0] += 4
		}
		say0(a.frame(r, other, send))
	case 8: // a frame of another function or length
		other := append([]byte(nil), pdu...)
		other[1] = 3 + byte(a.rnd.IntN(2))
		binary.BigEndian.PutUint16(other[4:], uint16(1+a.rnd.IntN(6)))
		if other[1] == pdu[1] && other[5] == pdu[5] {
			other[5]++
		}
		if !a.inTime(send) {
			other[1] = 1
		}
		say0(a.frame(r, other, send))
	case 9:
		say0(a.framed(r, pdu[0], pdu[1]|exceptionBit, byte(a.rnd.IntN(12))))
	case 10:
		say0(a.framed(r, pdu[0], byte(a.rnd.IntN(256)), byte(a.rnd.IntN(12))))
	case 11:
		for i := range a.bursts() {
			say(time.Until(send)+time.Duration(i)*7*time.Millisecond, a.noise())
		}
	default:
		say0(answer)
	}
}

// bursts is how often noise comes after noise.
func (a *adversary) bursts() int {
	if a.slow {
		return 5
	}
	return 30
}

// when is when the answer to a request to the unit goes out: mostly soon, at
// times around the timeout, at times much later.
func (a *adversary) when(unit byte) time.Time {
	ms := func(n int) time.Duration { return time.Duration(a.rnd.Int64N(int64(n))) * time.Millisecond }
	at := time.Now().Add(sent)
	switch a.rnd.IntN(8) {
	case 0:
		at = at.Add(a.timeout - 4*time.Millisecond + ms(8))
	case 1:
		at = at.Add(a.timeout + ms(int(a.late.Milliseconds())))
	default:
		at = at.Add(time.Millisecond + ms(int(a.timeout.Milliseconds()*2/5)))
	}
	at = later(at, a.busy[unit].Add(time.Millisecond))
	a.busy[unit] = at
	return at
}

// inTime says that what is sent then comes while its request is waited for.
// Later it may come when it fits: no master can tell a unit that answers
// something else than what it was asked, at another time, from one that does not.
func (a *adversary) inTime(send time.Time) bool {
	return send.Before(time.Now().Add(sent + a.timeout/2))
}

// frame answers the read in pdu, sampled when the answer goes out.
func (a *adversary) frame(r, pdu []byte, send time.Time) []byte {
	first, n := binary.BigEndian.Uint16(pdu[2:]), int(binary.BigEndian.Uint16(pdu[4:]))
	data := []byte{byte(2 * n)}
	for i := range n {
		v := uint16(send.Sub(a.start).Milliseconds())
		if i%2 == 0 {
			v = mark(pdu[0], pdu[1], first+uint16(i))
		}
		data = binary.BigEndian.AppendUint16(data, v)
	}
	return a.framed(r, pdu[0], pdu[1], data...)
}

func (a *adversary) framed(r []byte, unit, function byte, data ...byte) []byte {
	if a.tcp {
		return ofTCP(binary.BigEndian.Uint16(r), unit, append([]byte{function}, data...)...)
	}
	if a.ascii {
		return asciied(crced(append([]byte{unit, function}, data...)...))
	}
	return crced(append([]byte{unit, function}, data...)...)
}

func (a *adversary) noise() []byte {
	b := make([]byte, 1+a.rnd.IntN(20))
	for i := range b {
		b[i] = byte(a.rnd.IntN(256))
	}
	return b
}

// mark tells one register of the line from any other.
func mark(unit, function byte, address uint16) uint16 {
	return uint16(unit)<<12 | uint16(function)<<8 | address
}

// prey is a line with three units whose requests have two shapes of one
// function and one of another, several of each.
func prey(transport Transport) Config {
	c := Config{ID: "rs1", Transport: transport, Address: "x", Baud: 9600, Timeout: 100 * time.Millisecond}
	for unit := byte(1); unit <= 3; unit++ {
		u := UnitConfig{ID: fmt.Sprint("u", unit), Unit: unit, Every: time.Second}
		for _, address := range []uint16{0, 10, 20} {
			u.Points = append(u.Points, wide(fmt.Sprint(unit, "h", address), address))
		}
		u.Points = append(u.Points, wide(fmt.Sprint(unit, "h40"), 40), wide(fmt.Sprint(unit, "h42"), 42))
		in := wide(fmt.Sprint(unit, "i0"), 0)
		in.Table = Input
		u.Points = append(u.Points, in)
		c.Units = append(c.Units, u)
	}
	return c
}

// exchanges is how many requests an adversary plays with in virtual time, all
// transports together; make test-adversary asks for 100,000, and for 1,000 on a
// real line.
var (
	exchanges = flag.Int("exchanges", 16_000, "with an adversary, in virtual time")
	inEarnest = flag.Int("exchanges-in-earnest", 100, "with an adversary, on a serial line and over TCP each")
)

// ways are the transports that an adversary is met on.
var ways = []struct {
	name      string
	transport Transport
	ascii     bool
	share     int // of the exchanges, percent
}{{"RTU", RTU, false, 40}, {"RTU over TCP", RTUOverTCP, false, 20}, {"ASCII", RTU, true, 20}, {"TCP", TCP, false, 20}}

func TestAdversary(t *testing.T) {
	for i, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := prey(w.transport)
				c.ASCII = w.ascii
				rnd := rand.New(rand.NewPCG(7, uint64(i)))
				a := &adversary{rnd: rnd, tcp: w.transport == TCP, ascii: w.ascii, start: time.Now(), timeout: c.Timeout, late: 2900 * time.Millisecond, busy: map[byte]time.Time{}}
				s := newStand(t, c, a.play)
				hunt(t, a, s.Bus, rand.New(rand.NewPCG(8, uint64(i))), *exchanges*w.share/100, 10, 30*time.Millisecond)
			})
		})
	}
}

// In earnest: on a PTY and over a socket, in real time. An answer that is late
// is so by far less than the unit may owe it, since this machine is late, too.
func TestAdversaryInEarnest(t *testing.T) {
	for i, w := range ways {
		if w.transport == RTUOverTCP {
			continue // its frames are the serial line's, its connection is TCP's
		}
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			c := prey(w.transport)
			c.ASCII, c.Baud, c.Timeout = w.ascii, 115200, 25*time.Millisecond
			for i := range c.Units {
				c.Units[i].Late = 10 * time.Second
			}
			a := &adversary{rnd: rand.New(rand.NewPCG(9, uint64(i))), tcp: w.transport == TCP, ascii: w.ascii, start: time.Now(),
				timeout: c.Timeout, late: 60 * time.Millisecond, busy: map[byte]time.Time{}, slow: true}
			if w.transport == TCP {
				c.Address = listen(t, func(conn net.Conn) { a.serve(conn, 12) })
			} else {
				p := newPTY(t)
				c.Address = p.path
				var done sync.WaitGroup
				done.Go(func() { a.serve(p, 8) })
				t.Cleanup(func() { p.Close(); done.Wait() })
			}
			b, err := open(c, map[bool]Opener{true: dialer(c.Address), false: serialOpener(c)}[w.transport == TCP])
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			hunt(t, a, b, rand.New(rand.NewPCG(10, uint64(i))), *inEarnest, 50, 2*time.Millisecond) // a slow machine is late, too
		})
	}
}

// A word is what is to be said on a line, and when.
type word struct {
	due time.Time
	b   []byte
}

// serve plays each request that comes on a real line until that is closed.
func (a *adversary) serve(line io.ReadWriter, length int) {
	var mu sync.Mutex // one thing is said at a time, in the order in which it is due
	var owed []word
	if a.ascii {
		length = 17
	}
	for {
		r := make([]byte, length)
		if _, err := io.ReadFull(line, r); err != nil {
			return
		}
		a.mu.Lock() // a connection that is left may still be played on when the next begins
		a.play(0, r, func(after time.Duration, b []byte) {
			w := word{time.Now().Add(after), b}
			mu.Lock()
			i := sort.Search(len(owed), func(i int) bool { return owed[i].due.After(w.due) })
			owed = slices.Insert(owed, i, w)
			mu.Unlock()
			time.AfterFunc(max(after, 0), func() {
				mu.Lock()
				defer mu.Unlock()
				line.Write(owed[0].b)
				owed = owed[1:]
			})
		})
		a.mu.Unlock()
	}
}

// hunt reads polls of all units at random, until so many requests were made, and
// believes nothing that is good and not so. At least one request in rare has to be
// answered well.
func hunt(t *testing.T, a *adversary, b *Bus, rnd *rand.Rand, exchanges, rare int, pause time.Duration) {
	t.Helper()
	good := 0
	for b.line.Requests < uint64(exchanges) {
		n := b.line.Requests
		i := rnd.IntN(3)
		poll := rnd.IntN(len(b.units[i].polls))
		before := time.Now()
		rs, err := b.Units()[i].Polls[poll].Driver.Read(t.Context())
		if err != nil && !drivers.FaultOf(err).Until.IsZero() && rnd.IntN(4) == 0 {
			b.Units()[i].Probe(t.Context()) // another shape, which ends doubt
		}
		for k, r := range rs {
			if r.Quality != drivers.Good {
				continue
			}
			good++
			p := b.units[i].polls[poll].block.points[k]
			v := uint32(r.Value.Float())
			if got, want := uint16(v>>16), mark(byte(i+1), p.Table.function(), p.Address); got != want {
				t.Fatalf("exchange %d: %s reads the value of %#x", n, r.Point, got)
			}
			age := time.Duration(uint16(r.At.Sub(a.start).Milliseconds())-uint16(v)) * time.Millisecond
			if age > r.At.Sub(before)+time.Millisecond {
				t.Fatalf("exchange %d: %s was sampled %v ago, asked for %v ago", n, r.Point, age, r.At.Sub(before))
			}
		}
		time.Sleep(time.Duration(rnd.Int64N(int64(pause))))
	}
	if good < exchanges/rare {
		t.Errorf("only %d of %d read good", good, exchanges)
	}
	t.Logf("%d requests, %d good readings, %+v", b.line.Requests, good, b.Counts(""))
}
