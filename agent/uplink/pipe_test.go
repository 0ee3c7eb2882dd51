package uplink

import (
	"bytes"
	"net"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// sink keeps what is written to a connection.
type sink struct {
	net.Conn
	bytes.Buffer
}

func (s *sink) Write(b []byte) (int, error) { return s.Buffer.Write(b) }
func (s *sink) Read(b []byte) (int, error)  { return s.Buffer.Read(b) }

// What the client writes without a payload arrives with it, whole, whatever the
// length; and no other packet gets one.
func TestThePipeLoadsWhatIsPublished(t *testing.T) {
	to := &sink{}
	p := &pipe{Conn: to, wrote: make(chan struct{}, 1)}
	for _, size := range []int{0, 1, 100, 127, 128, 16_000, 16_383, 16_384, 300_000, 1, 0} {
		payload := bytes.Repeat([]byte{0x30}, size)
		p.carry(payload)
		ping := packets.NewControlPacket(packets.Pingreq)
		m := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
		m.TopicName, m.Qos, m.Retain, m.MessageID = "pithead/v1/a/b/data", 1, size%2 == 0, uint16(size)
		for _, q := range []packets.ControlPacket{ping, m, ping} {
			if err := q.Write(p); err != nil {
				t.Fatal(err)
			}
		}
		for _, publish := range []bool{false, true, false} {
			got, err := packets.ReadPacket(&to.Buffer)
			if err != nil {
				t.Fatal(err)
			}
			g, is := got.(*packets.PublishPacket)
			if is != publish {
				t.Fatalf("%d bytes: %v", size, got)
			}
			if is && (!bytes.Equal(g.Payload, payload) || g.TopicName != m.TopicName || g.MessageID != m.MessageID || g.Retain != m.Retain || g.Qos != 1) {
				t.Errorf("%d bytes: %v, %d of payload", size, g, len(g.Payload))
			}
		}
		if to.Len() > 0 || len(p.wrote) != 1 {
			t.Errorf("%d bytes: %d are left", size, to.Len())
		}
		<-p.wrote
	}
}

// On a link that takes nothing a ping is stuck in its write; who publishes, and
// may have to end, is not.
func TestNobodyWaitsForAStuckPing(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	p := &pipe{Conn: ours, wrote: make(chan struct{}, 1)}
	ended := make(chan struct{})
	go func() {
		p.Write([]byte{0xc0, 0}) // PINGREQ
		close(ended)
	}()
	if _, err := theirs.Read(make([]byte, 1)); err != nil { // it has begun
		t.Fatal(err)
	}
	p.carry([]byte("hello"))
	select {
	case <-ended:
		t.Error("the ping was not stuck")
	default:
	}
	ours.Close()
	<-ended
}
