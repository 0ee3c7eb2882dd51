package uplink

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"github.com/gorilla/websocket"
)

// upgrade makes a WebSocket of a connection that is open, and a stream of that:
// MQTT packets and WebSocket frames need not end together.
func upgrade(ctx context.Context, conn net.Conn, u *url.URL) (net.Conn, error) {
	dialer := websocket.Dialer{
		NetDialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil },
		Subprotocols:   []string{"mqtt"},
	}
	// TLS, if any, is done already, so that it is plain from here in any case.
	plain := url.URL{Scheme: "ws", Host: u.Host, Path: u.Path, RawQuery: u.RawQuery}
	ws, resp, err := dialer.DialContext(ctx, plain.String(), nil)
	if err != nil {
		if resp != nil {
			return nil, fmt.Errorf("websocket: the server answered %s", resp.Status)
		}
		return nil, fmt.Errorf("websocket: %w", err)
	}
	ws.SetReadLimit(1 << 20)
	return &stream{Conn: ws}, nil
}

// stream is a WebSocket as a net.Conn. One goroutine reads and one writes at a
// time; pipe sees to that.
type stream struct {
	*websocket.Conn
	rest io.Reader // of the message in hand; nil between two
}

func (s *stream) Read(b []byte) (int, error) {
	for {
		if s.rest == nil {
			_, r, err := s.NextReader()
			if err != nil {
				return 0, err
			}
			s.rest = r
		}
		n, err := s.rest.Read(b)
		if err == io.EOF {
			s.rest, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (s *stream) Write(b []byte) (int, error) {
	if err := s.WriteMessage(websocket.BinaryMessage, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (s *stream) SetDeadline(t time.Time) error {
	if err := s.SetReadDeadline(t); err != nil {
		return err
	}
	return s.SetWriteDeadline(t)
}
