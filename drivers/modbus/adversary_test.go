package modbus

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
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
	rnd     *rand.Rand
	tcp     bool
	start   time.Time
	timeout time.Duration
	busy    map[byte]time.Time // when the unit's last answer goes out
}

func (a *adversary) play(_ int, r []byte, say sayer) {
	pdu := r
	if a.tcp {
		pdu = r[6:]
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
		for i := range 30 {
			say(time.Until(send)+time.Duration(i)*7*time.Millisecond, a.noise())
		}
	default:
		say0(answer)
	}
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
		at = at.Add(a.timeout + ms(2900))
	default:
		at = at.Add(time.Millisecond + ms(40))
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

func TestAdversary(t *testing.T) {
	const exchanges = 5000
	for _, transport := range []Transport{RTU, RTUOverTCP, TCP} {
		synctest.Test(t, func(t *testing.T) {
			c := prey(transport)
			rnd := rand.New(rand.NewPCG(7, uint64(transport)))
			a := &adversary{rnd: rnd, tcp: transport == TCP, start: time.Now(), timeout: c.Timeout, busy: map[byte]time.Time{}}
			s := newStand(t, c, a.play)
			good := 0
			for n := 0; n < exchanges; n = len(s.asked) {
				i := rnd.IntN(3)
				poll := rnd.IntN(len(s.units[i].polls))
				before := time.Now()
				rs, err := s.readOf(i, poll)
				if err != nil && !drivers.FaultOf(err).Until.IsZero() && rnd.IntN(4) == 0 {
					s.Units()[i].Probe(t.Context()) // another shape, which ends doubt
				}
				for k, r := range rs {
					if r.Quality != drivers.Good {
						continue
					}
					good++
					p := s.units[i].polls[poll].block.points[k]
					v := uint32(r.Value.Float())
					if got, want := uint16(v>>16), mark(byte(i+1), p.Table.function(), p.Address); got != want {
						t.Fatalf("exchange %d: %s reads the value of %#x", n, r.Point, got)
					}
					age := time.Duration(uint16(r.At.Sub(a.start).Milliseconds())-uint16(v)) * time.Millisecond
					if age > r.At.Sub(before)+time.Millisecond {
						t.Fatalf("exchange %d: %s was sampled %v ago, asked for %v ago", n, r.Point, age, r.At.Sub(before))
					}
				}
				time.Sleep(time.Duration(rnd.IntN(30)) * time.Millisecond)
			}
			if good < exchanges/10 {
				t.Errorf("transport %d: only %d of %d read good", transport, good, exchanges)
			}
			t.Logf("transport %d: %d good readings, %+v", transport, good, s.Counts(""))
		})
	}
}
