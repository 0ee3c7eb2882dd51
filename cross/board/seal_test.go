//go:build board

package board

import (
	"fmt"
	"net"
	"testing"
	"time"
)

const sealSite = `version: 1
site: board
gateway: gw
buses:
  box: {gpio: box}
  exp: {gpio: exp}
points:
  door: {gpio: box/door, every: 1s}
  lid: {gpio: box/lid, debounce: 20ms, every: 1s}
  bolt: {gpio: exp/bolt, debounce: 20ms, every: 1s}
  cam: {probe: "tcp://10.0.2.2:%d", every: 1s}
outputs:
  siren: {gpio: box/siren}
seals:
  shaft: {closed: [door, bolt], tamper: [lid], seen: [cam], confirm: 1s, do: [siren]}
uplinks:
  county:
    mqtt: tcp://10.0.2.2:%d
    commands: [{id: county, key: "%s", allow: [seal.open, seal.close, seal.reset]}]
buffer: {dir: /data/buffer, size: 32MB}
`

// shaft is a sealed shaft: the board that guards it, and all that is done to it.
type shaft struct {
	*testing.T
	*ear
	parts *Parts
	conf  Config
	board *Board
	site  string
	cam   net.Listener
	pid   int
}

func (s *shaft) boot() {
	s.Helper()
	b, err := Boot(s.parts, s.conf)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(b.Cut)
	s.board = b
	for _, line := range []string{"door", "lid", "bolt"} {
		s.pull(line, true)
	}
	s.must(b.Put("/etc/site.yaml", s.site))
}

// start runs the agent and waits until the platform has heard of it.
func (s *shaft) start() {
	s.Helper()
	was := s.session
	pid, err := s.board.Start("pithead run /etc/site.yaml")
	s.must(err)
	s.pid = pid
	s.renewed(was)
}

func (s *shaft) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("%v; the console:\n%s", err, s.board.Console())
	}
}

func (s *shaft) pull(line string, up bool) { s.Helper(); s.must(s.board.Pull(line, up)) }

// do gives a command; one that is refused since a line was just pulled, and the
// board has not seen it, once more.
func (s *shaft) do(op, long string) {
	s.Helper()
	args := map[string]any{"seal": "shaft"}
	if long != "" {
		args["for"] = long
	}
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if err = s.command(s.board, op, args); err == nil {
			return
		}
	}
	s.must(err)
}

// refused is a command that must not be done.
func (s *shaft) refused(op string) {
	s.Helper()
	if err := s.command(s.board, op, map[string]any{"seal": "shaft"}); err == nil {
		s.Fatalf("%s was done", op)
	}
}

func (s *shaft) siren(on bool) {
	s.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		level, err := s.board.Level("siren")
		s.must(err)
		if level == on {
			return
		}
		if time.Now().After(end) {
			s.Fatalf("the siren's line is %v", level)
		}
	}
}

func (s *shaft) camera(on bool) {
	if !on {
		s.cam.Close()
		return
	}
	var address string
	if s.cam != nil {
		address = s.cam.Addr().String()
	} else {
		port, err := freePort()
		if err != nil {
			s.Fatal(err)
		}
		address = fmt.Sprintf("127.0.0.1:%d", port)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		s.Fatal(err)
	}
	s.cam = l
	s.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
}

// The life of a seal, each step seen at the broker and on the siren's line.
func TestSealStory(t *testing.T) {
	for _, arch := range []string{"arm64", "armv7"} {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			s := &shaft{T: t, ear: listen(t), parts: prepare(t, arch)}
			s.camera(true)
			s.site = fmt.Sprintf(sealSite, s.cam.Addr().(*net.TCPAddr).Port, s.port, s.public())
			disk := t.TempDir() + "/disk"
			if err := NewDisk(disk, 128<<20); err != nil {
				t.Fatal(err)
			}
			s.conf = Config{Disk: disk, Chips: []Chip{{Label: "box", Lines: []string{"door", "lid", "siren"}}, {Label: "exp", Lines: []string{"bolt"}}}}
			s.boot()
			s.start()
			s.breach()
			s.leave()
			s.blind()
			s.off()
		})
	}
}

// breach: sealed, opened without leave, latched, over a power cut, reset.
func (s *shaft) breach() {
	s.do("seal.close", "")
	s.wait(5*time.Second, "seal:shaft sealed closed")
	s.sounds()
	s.refused("seal.reset")
	s.pull("door", true)
	time.Sleep(2 * time.Second)
	s.siren(true)
	s.board.Cut()
	s.boot()
	s.start()
	s.siren(true)
	s.do("seal.reset", "")
	s.wait(5*time.Second, "seal:shaft sealed reset")
	s.siren(false)
}

// sounds measures from the door's edge to the siren's line. The board is
// emulated on a machine that others use: of ten tries one must be in time, but for
// the time in which the board itself stood still.
func (s *shaft) sounds() {
	s.Helper()
	const limit = 1100 * time.Millisecond
	best := time.Hour // without standing still
	for try := 1; ; try++ {
		took, stood, err := s.board.Answer("door", false, "siren", true, time.Minute)
		s.must(err)
		s.Logf("figure: from the door's edge to the siren's line %v, confirm 1s; the board stood still for %v", took, stood)
		s.wait(5*time.Second, "seal:shaft breached departed door")
		if took < time.Second {
			s.Fatalf("the siren sounds %v after the edge, before it is confirmed", took)
		}
		best = min(best, took-stood)
		if took <= limit || try == 10 && best <= limit {
			return
		}
		if try == 10 {
			s.Fatalf("the siren sounds %v after the edge, at best %v if the board had not stood still; want 1s and at most 100ms", took, best)
		}
		s.pull("door", true)
		s.do("seal.reset", "")
		s.siren(false)
	}
}

// leave: opened with leave, closed in time, closed too late, the box opened.
func (s *shaft) leave() {
	s.do("seal.open", "10m")
	s.wait(5*time.Second, "seal:shaft open opened")
	s.pull("door", false)
	time.Sleep(2 * time.Second)
	s.siren(false)
	s.pull("door", true)
	s.do("seal.close", "")
	s.wait(5*time.Second, "seal:shaft sealed closed")

	s.do("seal.open", "2s")
	s.wait(5*time.Second, "seal:shaft open opened")
	s.pull("door", false)
	s.wait(10*time.Second, "seal:shaft breached departed door")
	s.siren(true)
	s.pull("door", true)
	s.do("seal.reset", "")
	s.wait(5*time.Second, "seal:shaft sealed reset")
	s.siren(false)

	s.do("seal.open", "10m")
	s.wait(5*time.Second, "seal:shaft open opened")
	s.pull("lid", false)
	s.wait(5*time.Second, "seal:shaft tampered tampered lid")
	s.siren(true)
	s.refused("seal.reset")
	s.pull("lid", true)
	s.do("seal.reset", "")
	s.wait(5*time.Second, "seal:shaft open reset")
	s.siren(false)
	s.do("seal.close", "")
	s.wait(5*time.Second, "seal:shaft sealed closed")
}

// blind: the camera is lost for a moment, a cable is cut for over a minute.
func (s *shaft) blind() {
	s.camera(false)
	s.wait(15*time.Second, "seal:shaft blind blind cam")
	s.siren(true)
	s.camera(true)
	s.wait(15*time.Second, "seal:shaft sealed seen")
	s.siren(false)

	s.must(s.board.Plug("exp", false))
	s.wait(15*time.Second, "seal:shaft blind blind bolt")
	s.wait(75*time.Second, "seal:shaft unwatched unwatched bolt")
	s.must(s.board.Plug("exp", true))
	s.pull("bolt", true)
	s.wait(15*time.Second, "seal:shaft unwatched seen")
	s.siren(true)
	s.do("seal.reset", "")
	s.wait(5*time.Second, "seal:shaft sealed reset")
	s.siren(false)
}

// off: the door is opened while the gateway is off.
func (s *shaft) off() {
	if _, err := s.board.Run(fmt.Sprintf("kill -9 %d", s.pid)); err != nil {
		s.Fatal(err)
	}
	s.pull("door", false)
	s.start()
	s.wait(10*time.Second, "door changed  door")
	s.wait(10*time.Second, "seal:shaft breached departed door")
	s.siren(true)
}
