package uplink

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"

	"pithead/config"
)

// ports are the usual ones, where a URL names none.
var ports = map[string]string{"tcp": "1883", "tls": "8883", "ssl": "8883", "ws": "80", "wss": "443"}

// A dialer makes a connection to a host and port.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// opened is a way to the broker: top is what the client talks through, base
// what ends it, whatever stands between.
type opened struct {
	top  net.Conn
	base *socket
}

// open makes the way to u's broker as its scheme says, within ctx.
func open(ctx context.Context, c config.Uplink, u *url.URL, terms terms) (opened, error) {
	port, known := ports[u.Scheme]
	if !known {
		return opened{}, fmt.Errorf("%s: the scheme %q is none of tcp, tls, ws, wss", u.Redacted(), u.Scheme)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	var secure *tls.Config
	if u.Scheme != "tcp" && u.Scheme != "ws" {
		t, err := tlsConfig(c, u.Hostname(), terms.now)
		if err != nil {
			return opened{}, mistake{err}
		}
		secure = t
	}
	conn, err := terms.dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return opened{}, err
	}
	base := &socket{Conn: conn, patience: terms.patience}
	// The handshakes ahead listen to no context; what ends them is the socket's end.
	stop := context.AfterFunc(ctx, func() { _ = base.Close() })
	defer stop()
	top, err := handshake(ctx, base, secure, u)
	if err != nil {
		base.Close()
		return opened{}, secured(c, err, terms.now())
	}
	return opened{top: top, base: base}, nil
}

func handshake(ctx context.Context, base net.Conn, secure *tls.Config, u *url.URL) (net.Conn, error) {
	top := base
	if secure != nil {
		t := tls.Client(base, secure)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("tls: %w", err)
		}
		top = t
	}
	if u.Scheme == "ws" || u.Scheme == "wss" {
		return upgrade(ctx, top, u)
	}
	return top, nil
}
